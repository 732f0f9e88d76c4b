"""The arguments of the command line: a flag for every field of the spec, documented by it."""

from __future__ import annotations

import argparse
import difflib
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, NoReturn

from orchestrator import cli_commands as commands
from orchestrator.cli_examples import EXAMPLES
from orchestrator.exit_codes import EXIT_USER
from orchestrator.spec import PRESETS, Spec


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Exit with that sentence."""
        complain(f"{message}. `{self.prog} --help` lists what there is.")
        raise SystemExit(EXIT_USER)

    def reject(self, argument: str) -> NoReturn:
        """Exit over an argument that no one knows."""
        flag = argument.split("=")[0]
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1)
        self.error(f"unknown argument `{flag}`" + (f" (did you mean `{near[0]}`?)" if near else ""))


def make_parser() -> argparse.ArgumentParser:
    """All commands with their arguments; each sets `command`, a function of the options to the exit code."""
    parser = Parser(
        prog="facet", description="Face-emotion ablation studies, as published and as they should have been run."
    )
    added = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(added)
    _add_plan(added)
    _add_spec(_add(added, "crop", commands.crop, "only crop the faces of photos that are not cropped yet"))
    _add_spec(
        _add(added, "audit", commands.audit, "say what the photos can prove: copies, conflicts, leaks, shortcuts")
    )
    _add_check_paper(added)
    _add_sample(added)
    _add_report(added)
    _add_compare(added)
    _add_spec_command(added)
    _add(added, "doctor", commands.doctor, "check versions, devices, weights, disk and Ray")
    return parser


def _add_run(added: Any) -> None:
    run = _add(added, "run", commands.run, "run the whole study; what is finished is not computed again")
    run.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    run.add_argument("--fresh", action="store_true", help="set an earlier run in the run folder aside and start over")
    run.add_argument(
        "--strict-audit", action="store_true", help="stop with exit code 3 before training if the audit has findings"
    )
    _add_spec(run)
    run.set_defaults(probe=True, from_run=None, json=None, expected_accuracy=None, spread=None)  # of --dry-run


def _add_plan(added: Any) -> None:
    plan = _add(added, "plan", commands.plan, "print what `run` would do, how long it takes, and whether it fits")
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


def _add_check_paper(added: Any) -> None:
    check = _add(added, "check-paper", commands.check_paper, "say what a published study's tables do not allow")
    check.add_argument(
        "reported", nargs="?", metavar="REPORTED.yaml", help="reported values; by default those that ship"
    )
    check.add_argument("--out", metavar="DIR", help="write paper_check.json and paper_check.md there")


def _add_sample(added: Any) -> None:
    sample = _add(added, "sample", commands.sample, "write the generated sample photos")
    sample.add_argument("folder", metavar="DIR", help="a new or empty folder")
    sample.add_argument("--seed", type=_seed, default=0, help="other photos for another seed (default 0)")


def _add_report(added: Any) -> None:
    report = _add(added, "report", commands.report, "write tables, figures and report.html again from a run folder")
    report.add_argument("run_folder", metavar="RUN_DIR", help="the run folder, local or s3://...")
    report.add_argument(
        "--wrong-photos",
        action="store_true",
        help="also write wrong.html, with the face crops of photos that every condition gets wrong: for you alone",
    )


def _add_compare(added: Any) -> None:
    compare = _add(added, "compare", commands.compare, "say how two runs differ, and what differs in their results")
    compare.add_argument("run_a", metavar="RUN_A", help="a run folder, local or s3://...")
    compare.add_argument("run_b", metavar="RUN_B", help="another; differences are B minus A")
    compare.add_argument("--out", metavar="DIR", help="a new folder (default: compare-<A>-<B> beside RUN_B)")


def _add_spec_command(added: Any) -> None:
    spec = _add(added, "spec", commands.show_spec, "print the resolved spec as YAML, or the schema of specs")
    spec.add_argument("--schema", action="store_true", help="print the JSON schema of a spec")
    _add_spec(spec)


def _add(added: Any, name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    parser = added.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EXAMPLES[name],
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


def complain(text: str) -> None:
    """On stderr, as facet."""
    print(f"facet: {text}", file=sys.stderr)
