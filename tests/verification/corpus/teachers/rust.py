"""Rust's tests: made by macros, with `Result`s, with expected panics."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "rust")

US = """use std::collections::HashMap;
use std::fmt;

#[derive(Debug, PartialEq, Clone)]
pub enum ParseError { Empty, BadToken(String), DivideByZero }

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ParseError::Empty => write!(f, "empty"),
            ParseError::BadToken(t) => write!(f, "bad token: {}", t),
            ParseError::DivideByZero => write!(f, "divide by zero"),
        }
    }
}
impl std::error::Error for ParseError {}

pub fn eval_rpn(text: &str) -> Result<i64, ParseError> {
    let mut stack: Vec<i64> = Vec::new();
    for token in text.split_whitespace() {
        match token {
            "+" | "-" | "*" | "/" => {
                let b = stack.pop().ok_or(ParseError::Empty)?;
                let a = stack.pop().ok_or(ParseError::Empty)?;
                stack.push(match token {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    _ => { if b == 0 { return Err(ParseError::DivideByZero); } a / b }
                });
            }
            other => stack.push(other.parse().map_err(|_| ParseError::BadToken(other.to_string()))?),
        }
    }
    stack.pop().ok_or(ParseError::Empty)
}

pub fn frequencies(text: &str) -> HashMap<char, usize> {
    let mut map = HashMap::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) { *map.entry(c.to_ascii_lowercase()).or_insert(0) += 1; }
    map
}
#[derive(Debug)]
pub struct Grid { cells: Vec<Vec<u8>> }
impl Grid {
    pub fn new(width: usize, height: usize) -> Self { assert!(width > 0, "width must be positive"); Grid { cells: vec![vec![0; width]; height] } }
    pub fn set(&mut self, x: usize, y: usize, v: u8) { self.cells[y][x] = v; }
    pub fn sum(&self) -> u32 { self.cells.iter().flatten().map(|&v| v as u32).sum() }
}
"""
UT = """#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    fn setup() -> Grid { let mut g = Grid::new(2, 2); g.set(0, 1, 5); g }

    macro_rules! rpn_cases {
        ($($name:ident: $text:expr => $want:expr,)*) => { $( #[test] fn $name() { assert_eq!(eval_rpn($text), $want); } )* };
    }
    rpn_cases! {
        adds: "1 2 +" => Ok(3),
        subtracts: "5 3 -" => Ok(2),
        zero: "1 0 /" => Err(ParseError::DivideByZero),
    }

    #[test]
    fn multiplies() -> Result<(), Box<dyn Error>> {
        let n = eval_rpn("6 7 *")?;
        assert_eq!(n, 42, "six times {}", 7);
        Ok(())
    }

    #[test]
    #[should_panic(expected = "width must be positive")]
    fn refuses() { Grid::new(0, 1); }

    #[test]
    #[ignore = "slow"]
    fn slow() { assert!(false); }

    #[test]
    fn grids() { let mut g = setup(); assert_eq!(g.sum(), 5); g.set(1, 0, 250); assert_eq!(g.sum(), 255); }

    #[test]
    fn errors() {
        assert!(matches!(eval_rpn("x"), Err(ParseError::BadToken(ref t)) if t == "x"));
        assert_eq!(eval_rpn("").unwrap_err().to_string(), "empty");
        let err = eval_rpn("+").expect_err("must fail");
        assert_eq!(format!("{err}"), "empty");
        let f = frequencies("Aab");
        assert_eq!(f.get(&'a'), Some(&2));
        assert_ne!(f.len(), 3);
        std::panic::catch_unwind(|| Grid::new(0, 0)).unwrap_err();
    }
}
"""
add("macro tests, Result, should_panic, ignore", "right", US, UT)
add("macro tests, subtracts the other way", "wrong", US.replace('"-" => a - b', '"-" => b - a'), UT)
add("should_panic with another message", "wrong", US.replace('"width must be positive"', '"bad width"'), UT)
add(
    "a Result test that fails by ?",
    "wrong",
    US.replace('"*" => a * b', '"*" => return Err(ParseError::Empty)'),
    """#[test]
fn it() -> Result<(), ParseError> { eval_rpn("1 2 +").map(|n| assert_eq!(n, 3))?; eval_rpn("2 3 *")?; Ok(()) }
""",
)
add(
    "should_panic that always panics",
    "vacuous",
    US,
    """#[test]
#[should_panic]
fn it() { let _ = eval_rpn("1"); panic!("x") }
""",
)
add(
    "integration test in tests/",
    "right",
    US,
    """// tests/integration.rs
use rpn::{eval_rpn, frequencies, ParseError};
use std::thread;

mod common { pub fn text() -> &'static str { "3 4 + 2 *" } }

#[test]
fn whole() {
    assert_eq!(eval_rpn(common::text()).unwrap(), 14);
    assert_eq!(eval_rpn("9 2 /"), Ok(4));
    assert_eq!(eval_rpn("5 3 -"), Ok(2));
}

#[test]
fn threads() {
    let handles: Vec<_> = (0..4).map(|i| thread::spawn(move || eval_rpn(&format!("{i} 1 +")).unwrap())).collect();
    let got: Vec<i64> = handles.into_iter().map(|h| h.join().unwrap()).collect();
    assert_eq!(got, vec![1, 2, 3, 4]);
    assert!(frequencies("").is_empty());
    assert_eq!(eval_rpn("1 0 /"), Err(ParseError::DivideByZero));
}
""",
)
