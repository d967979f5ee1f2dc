"""Evol-Instruct for code: problems become harder in rounds, and are solved again (WizardCoder, arXiv 2306.08568)."""

from hf_oss_instruct.methods.evolution.run import EvolutionPlan, evolve_table, plan_evolution

__all__ = ["EvolutionPlan", "evolve_table", "plan_evolution"]
