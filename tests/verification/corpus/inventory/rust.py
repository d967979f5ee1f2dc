"""Rust: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub enum InventoryError {
    BadCount(i64),
    OutOfStock { name: String, have: i64 },
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InventoryError::BadCount(count) => write!(f, "count must be positive, got {}", count),
            InventoryError::OutOfStock { name, have } => write!(f, "only {} of {}", have, name),
        }
    }
}

impl std::error::Error for InventoryError {}

#[derive(Debug, Default)]
pub struct Inventory {
    counts: BTreeMap<String, i64>,
}

impl Inventory {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&mut self, name: &str, count: i64) -> Result<(), InventoryError> {
        if count <= 0 {
            return Err(InventoryError::BadCount(count));
        }
        *self.counts.entry(name.to_string()).or_insert(0) += count;
        Ok(())
    }

    pub fn remove(&mut self, name: &str, count: i64) -> Result<i64, InventoryError> {
        let have = self.counts.get(name).copied().unwrap_or(0);
        if count > have {
            return Err(InventoryError::OutOfStock { name: name.to_string(), have });
        }
        self.counts.insert(name.to_string(), have - count);
        Ok(have - count)
    }

    pub fn total(&self) -> i64 {
        self.counts.values().sum()
    }
}

pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut ordered = values.to_vec();
    ordered.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let middle = ordered.len() / 2;
    if ordered.len() % 2 == 1 {
        return Some(ordered[middle]);
    }
    Some((ordered[middle - 1] + ordered[middle]) / 2.0)
}

pub fn parse_pairs(text: &str) -> Result<BTreeMap<String, i64>, String> {
    let mut found = BTreeMap::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("bad pair: {}", part))?;
        let number: i64 = value.trim().parse().map_err(|_| format!("bad pair: {}", part))?;
        found.insert(name.trim().to_string(), number);
    }
    Ok(found)
}
"""
WRONG = {
    "the last one cannot be removed": ("if count > have", "if count >= have"),
    "upper median": ("(ordered[middle - 1] + ordered[middle]) / 2.0", "ordered[middle]"),
    "no negative numbers": (
        "found.insert(name.trim().to_string(), number)",
        "found.insert(name.trim().to_string(), number.abs())",
    ),
}
FULL = {
    "a module of tests": """#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        let mut inv = Inventory::new();
        inv.add("apple", 3).unwrap();
        inv
    }

    #[test]
    fn removes_all() {
        let mut inv = inventory();
        assert_eq!(inv.remove("apple", 3), Ok(0), "none is left");
        assert_eq!(inv.total(), 0);
    }

    #[test]
    fn too_many() {
        let error = inventory().remove("apple", 4).unwrap_err();
        assert_eq!(error.to_string(), "only 3 of apple");
        assert!(matches!(error, InventoryError::OutOfStock { have: 3, .. }));
    }

    #[test]
    #[should_panic(expected = "BadCount(0)")]
    fn bad_count() {
        inventory().add("pear", 0).unwrap();
    }

    #[test]
    fn medians() {
        let cases: Vec<(Vec<f64>, Option<f64>)> = vec![(vec![], None), (vec![1.0, 2.0], Some(1.5)), (vec![3.0, 1.0, 2.0], Some(2.0))];
        for (values, expected) in cases {
            assert_eq!(median(&values), expected, "median of {:?}", values);
        }
    }

    #[test]
    fn pairs() -> Result<(), String> {
        let found = parse_pairs("a=1; b=-2")?;
        assert_eq!(found.get("b"), Some(&-2));
        assert!(parse_pairs("oops").is_err());
        Ok(())
    }
}
""",
    "an integration test": """use inventory::{median, parse_pairs, Inventory};
use std::collections::BTreeMap;

const EPSILON: f64 = 1e-9;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < EPSILON
}

#[test]
fn test_remove() {
    let mut inv = Inventory::new();
    inv.add("a", 1).expect("add");
    assert_eq!(inv.remove("a", 1).unwrap(), 0);
}

#[test]
fn test_median() {
    assert!(close(median(&[0.1, 0.2]).unwrap(), 0.15));
}

#[test]
fn test_pairs() {
    let mut expected = BTreeMap::new();
    expected.insert("n".to_string(), -4);
    assert_eq!(parse_pairs("n=-4").unwrap(), expected);
}
""",
    "main with asserts": """fn main() {
    // Test 1
    let mut inv = Inventory::new();
    inv.add("bolt", 5).unwrap();
    assert_eq!(inv.total(), 5);
    let left = inv.remove("bolt", 5).unwrap();
    assert_eq!(left, 0);

    // Test 2
    assert_eq!(median(&[2.0, 1.0]), Some(1.5));
    assert!(median(&[]).is_none());

    // Test 3
    let pairs = parse_pairs("k=-9").unwrap();
    assert_eq!(pairs["k"], -9);
    println!("All tests passed!");
}
""",
    "functions that main calls": """fn test_remove() {
    let mut inv = Inventory::new();
    inv.add("a", 2).unwrap();
    if inv.remove("a", 2) != Ok(0) {
        panic!("remove");
    }
}

fn test_functions() {
    assert_eq!(median(&[1.0, 2.0, 3.0, 4.0]), Some(2.5));
    assert_eq!(parse_pairs("a=-3;b=1").unwrap().values().sum::<i64>(), -2);
}

fn main() {
    test_remove();
    test_functions();
    println!("ok");
}
""",
    "bare asserts": """assert_eq!(median(&[1.0, 4.0]), Some(2.5));
assert_eq!(parse_pairs("b=-1").unwrap()["b"], -1);
let mut inv = Inventory::new();
inv.add("a", 1).unwrap();
assert_eq!(inv.remove("a", 1), Ok(0));
""",
    "a macro and modules": """#[cfg(test)]
mod inventory_tests {
    use super::{Inventory, InventoryError};

    #[test]
    fn it_removes() {
        let mut inv = Inventory::new();
        assert!(inv.add("x", 1).is_ok());
        assert_eq!(inv.remove("x", 1), Ok(0));
        assert_eq!(inv.add("x", -1), Err(InventoryError::BadCount(-1)));
    }
}

#[cfg(test)]
mod function_tests {
    use super::*;

    macro_rules! median_tests {
        ($values:expr, $expected:expr) => {
            assert_eq!(median($values), $expected);
        };
    }

    #[test]
    fn it_has_a_median() {
        median_tests!(&[1.0, 2.0], Some(1.5));
        median_tests!(&[], None);
    }

    #[test]
    fn it_parses() {
        let found = parse_pairs("q=-8").unwrap();
        assert!(found.iter().all(|(name, value)| name == "q" && *value == -8));
        assert_eq!(found.len(), 1);
    }
}
""",
}
ONE = "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn it() {\n        %s\n    }\n}\n"
VACUOUS = {
    "calls": ONE % "median(&[1.0]);",
    "true": ONE % "let _ = median(&[1.0]);\n        assert!(true);",
    "two calls": ONE % "assert_eq!(median(&[1.0, 2.0]), median(&[2.0, 1.0]));",
    "either": ONE % "let m = median(&[1.0]);\n        assert!(m.is_some() || m.is_none());",
    "ignored": ONE.replace("#[test]", "#[test]\n    #[ignore]") % "assert_eq!(median(&[1.0]), Some(1.0));",
    "a closure that nobody calls": ONE % "let _check = || assert_eq!(median(&[1.0]), Some(9.0));",
    "no case": ONE % "for v in Vec::<f64>::new() {\n            assert_eq!(median(&[v]), Some(9.0));\n        }",
    "caught": ONE % "let _ = std::panic::catch_unwind(|| assert_eq!(median(&[1.0]), Some(9.0)));",
    "prints": 'fn main() {\n    println!("{}", median(&[1.0, 2.0]) == Some(1.5));\n}\n',
}
