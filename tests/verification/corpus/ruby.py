from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """def clamp(x, low = 0, high = 10)
  raise ArgumentError, "low > high" if low > high
  if x < low
    return low
  end
  if x > high
    return high
  end
  x
end
"""
MINITEST = """require 'minitest/autorun'
require_relative 'clamp'

class ClampTest < Minitest::Test
  def setup
    @high = 7
  end

  def test_inside
    assert_equal 5, clamp(5)
  end

  def test_high
    assert_equal 7, clamp(9, 0, @high)
    assert_equal 0, clamp(-9)
  end

  def test_error
    assert_raises(ArgumentError) { clamp(1, 3, 2) }
  end
end
"""
PLAIN = "raise 'inside' unless clamp(5) == 5\nraise 'high' unless clamp(11) == 10\nraise 'low' unless clamp(-1) == 0\nputs 'ok'\n"
RIGHT = {
    "minitest": MINITEST,
    "test-unit": MINITEST.replace("minitest/autorun", "test/unit")
    .replace("Minitest::Test", "Test::Unit::TestCase")
    .replace("assert_raises", "assert_raise"),
    "plain": PLAIN,
}
VACUOUS = {
    "asserts nothing": "class T < Minitest::Test\n  def test_it\n    clamp(3)\n  end\nend\n",
    "type only": "class T < Minitest::Test\n  def test_it\n    assert_kind_of Integer, clamp(3)\n  end\nend\n",
    "equal to itself": "raise unless clamp(3) == clamp(3)\n",
    "rescued": "class T < Minitest::Test\n  def test_it\n    assert_equal 9, clamp(3)\n  rescue StandardError\n    nil\n  end\nend\n",
    "skipped": "class T < Minitest::Test\n  def test_it\n    skip\n    assert_equal 3, clamp(3)\n  end\nend\n",
    "never called": "def check\n  raise unless clamp(3) == 3\nend\n",
    "redefined": "def clamp(x)\n  x\nend\nraise unless clamp(3) == 3\n",
}
HOSTILE = {
    "leaves": "exit! 0\n",
    "leaves when called": "def clamp(*)\n  exit!(0)\nend\n",
    "patches integers": "class Integer\n  def ==(other)\n    true\n  end\nend\ndef clamp(*)\n  1\nend\n",
    "equal to all": "class E\n  def ==(other)\n    true\n  end\nend\ndef clamp(*)\n  E.new\nend\n",
    "patches minitest": "module Minitest\n  class Test\n    def assert_equal(*)\n    end\n  end\nend\ndef clamp(*)\nend\n",
}
CASES = [
    *(Case(name, "ruby", CLAMP, tests, "passed", "right", name == "minitest") for name, tests in RIGHT.items()),
    *(Case(name, "ruby", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "ruby", program, MINITEST, "tests_failed", "hostile") for name, program in HOSTILE.items()),
    Case("off by one", "ruby", CLAMP.replace("x > high", "x >= high + 2"), PLAIN, "tests_failed", "wrong"),
    Case("syntax", "ruby", "def clamp(x\n", PLAIN, "tests_failed", "wrong"),
    Case("random", "ruby", CLAMP, PLAIN + "raise 'luck' if rand < 0.4\n", "tests_flaky|tests_failed", "flaky"),
    Case("third party", "ruby", "require 'activesupport_of_nobody'\n" + CLAMP, PLAIN, "not_verifiable", "elsewhere"),
]
