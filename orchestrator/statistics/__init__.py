"""The statistics behind every comparison: plain numbers in, plain numbers out. docs/verdicts.md says why each."""
