"""Examples at the end of each command's --help."""

EXAMPLES = {
    "run": """examples:
  facet run                                              the whole study on a generated sample, in minutes
  facet run --data photos/ --out runs/mine               your photos, preset quick
  facet run --data photos/ --preset paper --seeds 6      the published recipe; wants a GPU
  facet run study.yaml --conditions factorial            a spec file, one field changed
  facet run --data photos/ --hypotheses claims.yaml      claims of your own, written down before training
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
