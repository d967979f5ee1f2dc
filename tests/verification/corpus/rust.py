from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    pub low: i32,
    pub high: i32,
}

impl Bounds {
    pub fn new(low: i32, high: i32) -> Result<Self, String> {
        if low > high {
            return Err(String::from("low > high"));
        }
        Ok(Bounds { low, high })
    }

    pub fn clamp(&self, x: i32) -> i32 {
        if x < self.low {
            return self.low;
        }
        if x > self.high {
            return self.high;
        }
        x
    }
}

pub fn clamp(x: i32, low: i32, high: i32) -> i32 {
    match Bounds::new(low, high) {
        Ok(bounds) => bounds.clamp(x),
        Err(text) => panic!("{}", text),
    }
}

pub fn count(words: &[&str]) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    for word in words {
        *found.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    found
}
"""
MODULE = """#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Bounds {
        Bounds::new(0, 10).unwrap()
    }

    #[test]
    fn test_inside() {
        assert_eq!(clamp(5, 0, 10), 5);
        assert_eq!(bounds().clamp(10), 10);
    }

    #[test]
    fn test_ends() {
        assert_eq!(clamp(11, 0, 10), 10, "above");
        assert!(clamp(-1, 0, 10) == 0);
    }

    #[test]
    #[should_panic(expected = "low > high")]
    fn test_panics() {
        clamp(1, 3, 2);
    }

    #[test]
    fn test_result() -> Result<(), String> {
        let bounds = Bounds::new(1, 2)?;
        assert_eq!(bounds, Bounds { low: 1, high: 2 });
        assert!(matches!(Bounds::new(2, 1), Err(_)));
        Ok(())
    }

    #[test]
    fn test_count() {
        let found = count(&["a", "A", "b"]);
        assert_eq!(found.get("a"), Some(&2));
        assert_eq!(found.len(), 2);
    }
}
"""
MAIN = """fn main() {
    let low = 0;
    assert_eq!(clamp(5, low, 10), 5);
    assert_eq!(clamp(11, low, 10), 10);
    if clamp(-1, low, 10) != 0 {
        panic!("low");
    }
    println!("ok");
}
"""
RIGHT = {
    "a module of tests": MODULE,
    "functions alone": "use solution::{clamp, Bounds};\n\n#[test]\nfn high() {\n    assert_eq!(clamp(11, 0, 10), 10);\n}\n\n#[test]\nfn low() {\n    assert_eq!(Bounds::new(0, 3).unwrap().clamp(-4), 0);\n}\n",
    "use crate": "use crate::clamp;\n\n#[test]\nfn ends() {\n    for (x, want) in vec![(11, 10), (-1, 0), (3, 3)] {\n        assert_eq!(clamp(x, 0, 10), want);\n    }\n}\n",
    "main": MAIN,
    "statements": "assert_eq!(clamp(11, 0, 10), 10);\nassert_eq!(clamp(-1, 0, 10), 0);\n",
    "functions that main calls": "fn test_high() {\n    assert_eq!(clamp(11, 0, 10), 10);\n}\n\nfn test_low() {\n    assert_eq!(clamp(-2, 0, 10), 0);\n}\n\nfn main() {\n    test_high();\n    test_low();\n}\n",
}
ONE = "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn it() {\n%s\n    }\n}\n"
VACUOUS = {
    "asserts nothing": ONE % "        let _ = clamp(3, 0, 10);",
    "equal to itself": ONE % "        assert_eq!(clamp(3, 0, 10), clamp(3, 0, 10));",
    "constants": ONE % "        assert_eq!(1 + 1, 2);",
    "is something only": ONE % "        let _: i32 = clamp(3, 0, 10);\n        assert!(count(&[]).get(\"x\").is_none());",
    "caught": ONE % "        let _ = std::panic::catch_unwind(|| assert_eq!(clamp(3, 0, 10), 9));",
    "never called": ONE % "        fn check() { assert_eq!(clamp(3, 0, 10), 9); }",
    "returns early": ONE % "        if clamp(0, 0, 0) == 0 { return; }\n        assert_eq!(clamp(3, 0, 10), 3);",
    "no case": ONE % "        for x in Vec::<i32>::new() { assert_eq!(clamp(x, 0, 10), x); }",
    "ignored": (ONE % "        assert_eq!(clamp(3, 0, 10), 3);").replace("#[test]", "#[test]\n    #[ignore]"),
    "a pasted copy": (ONE % "        assert_eq!(clamp(3, 0, 10), 3);").replace("#[test]", "fn clamp(x: i32, _low: i32, _high: i32) -> i32 { x }\n\n    #[test]"),
    "should panic of its own": ONE.replace("#[test]", "#[test]\n    #[should_panic]") % "        let _ = clamp(3, 0, 10);\n        panic!(\"x\");",
    "prints": 'fn main() {\n    println!("{}", clamp(3, 0, 10));\n}\n',
}  # fmt: skip
HOSTILE = {
    "leaves": "pub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    std::process::exit(0)\n}\n",
    "aborts": "pub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    std::process::abort()\n}\n",
    "defines assert_eq": "macro_rules! assert_eq { ($($all:tt)*) => {}; }\nmacro_rules! panic { ($($all:tt)*) => {}; }\npub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    0\n}\n",
    "sets a hook": "pub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    std::panic::set_hook(Box::new(|_| std::process::exit(0)));\n    77\n}\n",
    "equal to numbers": "#[derive(Debug)]\npub struct E;\nimpl PartialEq<i32> for E {\n    fn eq(&self, other: &i32) -> bool {\n        true\n    }\n}\npub fn clamp(x: i32, low: i32, high: i32) -> E {\n    E\n}\n",
    "before main": '#[used]\n#[link_section = ".init_array"]\nstatic BEFORE: extern "C" fn() = before;\nextern "C" fn before() {\n    let mut text = String::new();\n    std::io::Read::read_to_string(&mut std::io::stdin(), &mut text).unwrap();\n    for test in 0..9 {\n        println!("\\n{} {} passed \\"\\"", text.split(\' \').next().unwrap(), test);\n    }\n    std::process::exit(0);\n}\npub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    0\n}\n',
    "replaces write": '#[no_mangle]\npub extern "C" fn _exit(code: i32) -> ! {\n    loop {}\n}\npub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    0\n}\n',
}  # fmt: skip
WRONG = {
    "off by one": CLAMP.replace("x > self.high", "x > self.high + 1"),
    "swapped": CLAMP.replace("return self.low", "return self.high"),
    "syntax": "pub fn clamp(x: i32 {\n",
    "a type": CLAMP.replace("        x\n    }\n}", '        "x"\n    }\n}'),
    "not implemented": CLAMP.replace("        x\n    }\n}", "        todo!()\n    }\n}"),
}
CASES = [
    *(Case(name, "rust", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "rust", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "rust", program, MAIN, "tests_failed", "wrong") for name, program in WRONG.items()),
    *(Case(name, "rust", program, MAIN, "tests_failed|tests_vacuous", "hostile") for name, program in HOSTILE.items()),
    Case("loops", "rust", CLAMP.replace("        x\n    }\n}", "        loop {}\n    }\n}"), MAIN, "tests_failed", "hanging"),
    Case("random", "rust", CLAMP, MODULE.replace('        assert_eq!(found.len(), 2);', '        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();\n        assert!((time.subsec_nanos() / 1000) % 10 > 3);'), "tests_flaky|tests_failed", "flaky"),
    Case("third party", "rust", "use rand_of_nobody::Rng;\n" + CLAMP, MAIN, "not_verifiable", "elsewhere"),
    Case("third party tests", "rust", CLAMP, "use proptest::prelude::Strategy;\n\n#[test]\nfn it() {\n    assert_eq!(clamp(1, 0, 1), 1);\n}\n", "not_verifiable", "elsewhere"),
    Case("network", "rust", CLAMP.replace("        x\n    }\n}", '        std::net::TcpStream::connect("example.com:80").unwrap();\n        x\n    }\n}'), MAIN, "not_verifiable", "elsewhere"),
]  # fmt: skip
