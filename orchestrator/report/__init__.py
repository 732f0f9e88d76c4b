"""From the ledger to tables, figures and one page. Reads finished trials only; knows nothing of how they were run."""
