"""What the values of the published study do not allow, beside the tables that print them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from orchestrator.paper import load_paper
from orchestrator.paper_check.checks import paper_check_findings
from orchestrator.report.context import ReportContext
from orchestrator.report.results import Results


def published_findings(results: Results, context: ReportContext, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """A sentence a finding; none where no row of table 1 has a value of the paper beside it."""
    if "table1" not in tables or tables["table1"]["paper_accuracy"].isna().all():
        return []
    return [
        f"{finding.severity.capitalize()}. {finding.title}. {finding.sentence}"
        for finding in paper_check_findings(load_paper())
    ]
