"""The columns of the tables of the factorial: their order, heading and meaning."""

from __future__ import annotations

ORDER = {
    "effects": (
        "protocol effect effect_order estimate_mean estimate_low estimate_high p_value p_holm seeds cells held"
    ),
    "importance": "protocol parameter importance_fanova importance_ped_anova trials",
}
DOCS = {
    "effect": ("Effect", "A component, or several whose effects on each other are meant."),
    "effect_order": ("Order", "Components in the effect: 1 for a main effect, 2 for an interaction of two, and so on."),
    "estimate_mean": (
        "Estimate",
        "Mean over seeds. Order 1: mean accuracy of the cells with the component minus that of those without. Order 2: "
        "half the difference between the effect of one with the other and without it; higher orders likewise. On the "
        "photos and classes that all cells know, other answers masked.",
    ),
    "estimate_low": ("Estimate, low", "Lower bound of its 95 % interval, over seeds; not corrected."),
    "estimate_high": ("Estimate, high", "Upper bound of its 95 % interval, over seeds; not corrected."),
    "cells": ("Cells", "Conditions that the factorial consists of."),
    "held": ("Held", "What is the same in all cells; empty where all four components vary."),
    "parameter": ("Parameter", "What trials of the protocol differ in; the seed stands for chance."),
    "importance_fanova": (
        "Importance, fANOVA",
        "Share of the variance in accuracy that a random forest over the trials puts down to the parameter alone; the "
        "shares of all parameters add up to 1.",
    ),
    "importance_ped_anova": (
        "Importance, PED-ANOVA",
        "How far the best quarter of the trials differs from all in the parameter, as a share of the sum; empty where "
        "no quarter stands out.",
    ),
    "trials": ("Trials", "Finished trials, the folds of a seed as one."),
}
