"""The command line: `facet run`, `plan`, `crop`, `audit`, `check-paper`, `report`, `compare` and others."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import select
import signal
import sys
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from datasets.errors import FailedError, FindingsError, UserError
from orchestrator.quiet import log_path
from orchestrator.spec import PRESETS, Spec, resolve_spec

EXIT_OK, EXIT_FAILED, EXIT_USER, EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_UNREAD = 0, 1, 2, 3, 130, 141

_EXAMPLES = {
    "run": """examples:
  facet run                                              the whole study on a generated sample, in minutes
  facet run --data photos/ --out runs/mine               your photos, preset quick
  facet run --data photos/ --preset paper --seeds 6      the published recipe; wants a GPU
  facet run study.yaml --conditions factorial            a spec file, one field changed
  facet run --data photos/ --dry-run                     what would be done
  ray submit cluster.yaml orchestrator/run_ablation.py -- --data s3://bucket/photos --out s3://bucket/runs/1""",
    "plan": """examples:
  facet plan --data photos/ --preset paper --gpus-per-trial 0.5
  facet plan --data photos/ --seeds 12 --from-run runs/mine --json plan.json""",
    "crop": """examples:
  facet crop --data photos.zip --image-size 224 --out runs/mine
  facet crop --data photos/ --try-rotations --min-face-size 12   also faces that lie on their side, and small ones""",
    "audit": """examples:
  facet audit --data photos/                             what photos/ can prove, into runs/photos-audit
  facet audit --data photos.zip --out runs/mine          then `facet run --data photos.zip --out runs/mine`

Exit codes: 0 no finding; 3 findings: a pair of copies, or a subject in several splits; 1 it failed; 2 a mistake in what
was asked. A class that the file's format or size tells is a warning. docs/audit.md explains every number.""",
    "check-paper": """examples:
  facet check-paper                                      the published study that facet reproduces
  facet check-paper reported.yaml --out runs/review      another one, and paper_check.json and .md for the review

Exit codes: 0 no finding; 3 findings: numbers that cannot all be right, or do not show what they are given for; 2 a
mistake in the file. docs/check-paper.md explains the file and every check; examples/reported.yaml is an example.""",
    "sample": """examples:
  facet sample sample/ && facet run --data sample/
  facet sample other/ --seed 1                           other photos, drawn from another seed""",
    "report": """examples:
  facet report runs/mine
  facet report runs/mine --wrong-photos                  also a local page with pictures, not to be sent around""",
    "compare": """examples:
  facet compare runs/before runs/after                   into runs/compare-before-after
  facet compare runs/lite0 s3://bucket/runs/b0 --out runs/backbones

Both run folders are only read. docs/compare.md says what is compared with what, and how.""",
    "spec": "examples:\n  facet spec --preset paper > study.yaml\n  facet spec --schema > facet.schema.json",
    "doctor": """examples:
  facet doctor
  facet doctor && facet run                              a run only if all checks are good""",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        _complain(f"{message}. `{self.prog} --help` lists what there is.")
        raise SystemExit(EXIT_USER)

    def reject(self, argument: str) -> NoReturn:
        """Exit over an argument that no one knows."""
        flag = argument.split("=")[0]
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1)
        self.error(f"unknown argument `{flag}`" + (f" (did you mean `{near[0]}`?)" if near else ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 failed, 2 a user's mistake, 3 findings, 130 interrupted.

    141, without a word, where whoever reads the output has stopped, as `head` does.
    """
    try:
        try:
            return _main(arguments)
        finally:  # also after --help, which leaves by SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still writes when it ends
        return EXIT_UNREAD


def _main(arguments: Sequence[str] | None) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.reject(unknown[0])
    try:
        return options.command(options)
    except UserError as error:
        _complain(str(error))
        return EXIT_USER
    except FindingsError as error:
        _complain(str(error))
        return EXIT_FINDINGS
    except FailedError as error:
        _complain(str(error))
        if os.path.exists(log_path()):
            _complain(f"What Ray wrote: {log_path()}")
        return EXIT_FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            raise
        _complain(f"{error}. Finished trials are kept; the same command goes on from there.")
        return EXIT_FAILED
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break the clean-up
        _complain("Interrupted. Finished trials are kept; the same command goes on from there.")
        return EXIT_INTERRUPTED
    finally:
        _leave_ray()


def _run(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _plan(options)
    from orchestrator.run import describe_result, run_study

    result = run_study(_spec(options), fresh=options.fresh, strict_audit=options.strict_audit, verbose=options.verbose)
    print("\n".join(describe_result(result)))
    return EXIT_OK if result.num_finished == result.num_planned else EXIT_FAILED


def _plan(options: argparse.Namespace) -> int:
    from orchestrator.plan_command import plan_only

    lines = plan_only(
        _spec(options),
        check_folder=not getattr(options, "fresh", False),
        verbose=options.verbose,
        probe=options.probe,
        from_run=options.from_run,
        json_file=options.json,
        accuracy=options.expected_accuracy,
        deviation=options.spread,
    )
    _print_table(lines)
    return EXIT_OK


def _crop(options: argparse.Namespace) -> int:
    from orchestrator.crop_command import crop_only

    print("\n".join(crop_only(_spec(options), verbose=options.verbose)))
    return EXIT_OK


def _audit(options: argparse.Namespace) -> int:
    from orchestrator.audit_command import audit_only

    result = audit_only(_spec(options), verbose=options.verbose)
    print("\n".join(result.lines))
    return EXIT_OK if result.clean else EXIT_FINDINGS


def _check_paper(options: argparse.Namespace) -> int:
    from orchestrator.check_paper_command import check_paper

    result = check_paper(options.reported, out=options.out)
    print("\n".join(result.lines))
    return EXIT_OK if result.clean else EXIT_FINDINGS


def _sample(options: argparse.Namespace) -> int:
    from pathlib import Path

    from datasets.sample import write_sample

    num_photos = write_sample(Path(options.folder), seed=options.seed)
    print(f"{num_photos} generated photos in {options.folder}. Train on them: facet run --data {options.folder}")
    return EXIT_OK


def _report(options: argparse.Namespace) -> int:
    from datasets.folder import Folder
    from orchestrator.rebuild import rebuild_report, show_wrong_photos

    folder = Folder.at(options.run_folder)
    _print_table(rebuild_report(folder))
    if options.wrong_photos:
        _print_table(show_wrong_photos(folder))
    return EXIT_OK


def _compare(options: argparse.Namespace) -> int:
    from orchestrator.compare.command import compare_folders

    print("\n".join(compare_folders(options.run_a, options.run_b, options.out)))
    return EXIT_OK


def _show_spec(options: argparse.Namespace) -> int:
    from orchestrator.spec import write_yaml

    if options.schema:
        print(json.dumps(Spec.model_json_schema(), indent=1))
    else:
        print(write_yaml(_spec(options)), end="")
    return EXIT_OK


def _doctor(options: argparse.Namespace) -> int:
    from orchestrator.doctor import examine

    findings = examine()
    for finding in findings:
        print(f"{'ok  ' if finding.good else 'BAD '} {finding.title}: {finding.text}")
    return EXIT_OK if all(finding.good for finding in findings) else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="facet", description="Face-emotion ablation studies, as published and as they should have been run."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run = _add(commands, "run", _run, "run the whole study; what is finished is not computed again")
    run.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    run.add_argument("--fresh", action="store_true", help="set an earlier run in the run folder aside and start over")
    run.add_argument(
        "--strict-audit", action="store_true", help="stop with exit code 3 before training if the audit has findings"
    )
    _add_spec(run)
    run.set_defaults(probe=True, from_run=None, json=None, expected_accuracy=None, spread=None)  # of --dry-run
    plan = _add(commands, "plan", _plan, "print what `run` would do, how long it takes, and whether it fits")
    plan.add_argument("--no-probe", dest="probe", action="store_false", help="try no training step on this machine")
    plan.add_argument(
        "--from-run", metavar="RUN_DIR", help="take times, and how much answers vary, from an earlier run's trials"
    )
    plan.add_argument(
        "--expected-accuracy", type=float, metavar="X", help="accuracy to improve on, for the smallest gain (0.7)"
    )
    plan.add_argument(
        "--spread", type=float, metavar="X", help="standard deviation of an accuracy over seeds, such as 0.02"
    )
    plan.add_argument("--json", metavar="FILE", help="write the plan as JSON too")
    _add_spec(plan)
    _add_spec(_add(commands, "crop", _crop, "only crop the faces of photos that are not cropped yet"))
    _add_spec(_add(commands, "audit", _audit, "say what the photos can prove: copies, conflicts, leaks, shortcuts"))
    check = _add(commands, "check-paper", _check_paper, "say what a published study's tables do not allow")
    check.add_argument(
        "reported", nargs="?", metavar="REPORTED.yaml", help="reported values; by default those that ship"
    )
    check.add_argument("--out", metavar="DIR", help="write paper_check.json and paper_check.md there")
    sample = _add(commands, "sample", _sample, "write the generated sample photos")
    sample.add_argument("folder", metavar="DIR", help="a new or empty folder")
    sample.add_argument("--seed", type=_seed, default=0, help="other photos for another seed (default 0)")
    report = _add(commands, "report", _report, "write tables, figures and report.html again from a run folder")
    report.add_argument("run_folder", metavar="RUN_DIR", help="the run folder, local or s3://...")
    report.add_argument(
        "--wrong-photos",
        action="store_true",
        help="also write wrong.html, with the face crops of photos that every condition gets wrong: for you alone",
    )
    compare = _add(commands, "compare", _compare, "say how two runs differ, and what differs in their results")
    compare.add_argument("run_a", metavar="RUN_A", help="a run folder, local or s3://...")
    compare.add_argument("run_b", metavar="RUN_B", help="another; differences are B minus A")
    compare.add_argument("--out", metavar="DIR", help="a new folder (default: compare-<A>-<B> beside RUN_B)")
    spec = _add(commands, "spec", _show_spec, "print the resolved spec as YAML, or the schema of specs")
    spec.add_argument("--schema", action="store_true", help="print the JSON schema of a spec")
    _add_spec(spec)
    _add(commands, "doctor", _doctor, "check versions, devices, weights, disk and Ray")
    return parser


def _add(commands: Any, name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=_EXAMPLES[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command, parser=parser)
    return parser


def _add_spec(parser: argparse.ArgumentParser) -> None:
    """A flag for every field of the spec, documented by it."""
    parser.add_argument("spec", nargs="?", metavar="SPEC.yaml", help="spec file; flags win over it")
    parser.add_argument("--verbose", action="store_true", help="show Ray's own logs")
    group = parser.add_argument_group("fields of the spec")
    for name, info in Spec.model_fields.items():
        text = " ".join((info.description or "").split()).replace("%", "%%")
        flag, defaults = f"--{name.replace('_', '-')}", _defaults(name)
        if info.annotation is bool:
            action: Any = argparse.BooleanOptionalAction
            group.add_argument(flag, action=action, default=None, help=f"{text} ({defaults})")
        else:
            group.add_argument(flag, metavar=_metavar(info.annotation), default=None, help=f"{text} ({defaults})")


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise ValueError
    return seed


def _defaults(name: str) -> str:
    values = {preset: make().to_dict()[name] for preset, make in PRESETS.items()}
    shown = {key: ",".join(value) if isinstance(value, list) else value for key, value in values.items()}
    if len(set(map(str, shown.values()))) == 1:
        value = next(iter(shown.values()))
        return "no default" if value is None else f"default {value}"
    return "default " + ", ".join(f"{value} in {key}" for key, value in shown.items())


def _metavar(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return "|".join(map(str, typing.get_args(annotation)))
    if isinstance(annotation, types.UnionType):
        annotation = next(kind for kind in typing.get_args(annotation) if kind is not type(None))
    return {int: "N", float: "X", str: "TEXT"}.get(annotation, "A,B")


def _spec(options: argparse.Namespace) -> Spec:
    flags = {name: getattr(options, name) for name in Spec.model_fields if getattr(options, name) is not None}
    return resolve_spec(options.spec, flags)


def _print_table(lines: dict[str, str]) -> None:
    width = max(map(len, lines), default=0)
    for title, text in lines.items():
        print(f"{title:<{width}}  {text}")


def _complain(text: str) -> None:
    print(f"facet: {text}", file=sys.stderr)


def _nobody_reads() -> bool:
    """Whether it is the pipe behind stdout that is broken, and not one to some other program."""
    waiting = select.poll()
    waiting.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def _interrupt(signum: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _leave_ray() -> None:
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
