"""What each command of the command line does. Nothing heavy is imported before it is needed: `--help` must be quick."""

from __future__ import annotations

import argparse
import json

from orchestrator.exit_codes import EXIT_FAILED, EXIT_FINDINGS, EXIT_OK
from orchestrator.spec import Spec, resolve_spec


def run(options: argparse.Namespace) -> int:
    """`facet run`: the whole study, or with --dry-run its plan. The exit code."""
    if options.dry_run:
        return plan(options)
    from orchestrator.run import describe_result, run_study

    result = run_study(_spec(options), fresh=options.fresh, strict_audit=options.strict_audit, verbose=options.verbose)
    print("\n".join(describe_result(result)))
    return EXIT_OK if result.num_finished == result.num_planned else EXIT_FAILED


def plan(options: argparse.Namespace) -> int:
    """`facet plan`. The exit code."""
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


def crop(options: argparse.Namespace) -> int:
    """`facet crop`. The exit code."""
    from orchestrator.crop_command import crop_only

    print("\n".join(crop_only(_spec(options), verbose=options.verbose)))
    return EXIT_OK


def audit(options: argparse.Namespace) -> int:
    """`facet audit`. The exit code."""
    from orchestrator.audit_command import audit_only

    result = audit_only(_spec(options), verbose=options.verbose)
    print("\n".join(result.lines))
    return EXIT_OK if result.clean else EXIT_FINDINGS


def check_paper(options: argparse.Namespace) -> int:
    """`facet check-paper`. The exit code."""
    from orchestrator.check_paper_command import check_paper

    result = check_paper(options.reported, out=options.out)
    print("\n".join(result.lines))
    return EXIT_OK if result.clean else EXIT_FINDINGS


def sample(options: argparse.Namespace) -> int:
    """`facet sample`. The exit code."""
    from pathlib import Path

    from datasets.sample import write_sample

    num_photos = write_sample(Path(options.folder), seed=options.seed)
    print(f"{num_photos} generated photos in {options.folder}. Train on them: facet run --data {options.folder}")
    return EXIT_OK


def report(options: argparse.Namespace) -> int:
    """`facet report`. The exit code."""
    from datasets.folder import Folder
    from orchestrator.rebuild import rebuild_report, show_wrong_photos

    folder = Folder.at(options.run_folder)
    _print_table(rebuild_report(folder))
    if options.wrong_photos:
        _print_table(show_wrong_photos(folder))
    return EXIT_OK


def compare(options: argparse.Namespace) -> int:
    """`facet compare`. The exit code."""
    from orchestrator.compare.command import compare_folders

    print("\n".join(compare_folders(options.run_a, options.run_b, options.out)))
    return EXIT_OK


def show_spec(options: argparse.Namespace) -> int:
    """`facet spec`. The exit code."""
    from orchestrator.spec import write_yaml

    if options.schema:
        print(json.dumps(Spec.model_json_schema(), indent=1))
    else:
        print(write_yaml(_spec(options)), end="")
    return EXIT_OK


def doctor(options: argparse.Namespace) -> int:
    """`facet doctor`. The exit code."""
    from orchestrator.doctor import examine

    findings = examine()
    for finding in findings:
        print(f"{'ok  ' if finding.good else 'BAD '} {finding.title}: {finding.text}")
    return EXIT_OK if all(finding.good for finding in findings) else EXIT_FAILED


def _spec(options: argparse.Namespace) -> Spec:
    flags = {name: getattr(options, name) for name in Spec.model_fields if getattr(options, name) is not None}
    return resolve_spec(options.spec, flags)


def _print_table(lines: dict[str, str]) -> None:
    width = max(map(len, lines), default=0)
    for title, text in lines.items():
        print(f"{title:<{width}}  {text}")
