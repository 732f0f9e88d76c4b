"""Who runs the study: spec, plan, schedule, ledger, tables, report, tracking."""
