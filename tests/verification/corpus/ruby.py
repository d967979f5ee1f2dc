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
    "rescued": "class T < Minitest::Test\n  def test_it\n    assert_equal 9, clamp(3)\n  rescue Minitest::Assertion\n    nil\n  end\nend\n",
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
STYLES = {
    "rspec": """require "rspec"
require_relative "clamp"

RSpec.describe "clamp" do
  let(:high) { 7 }
  subject { clamp(9, 0, high) }

  it { is_expected.to eq(7) }

  context "below" do
    before { @low = 0 }
    it "is low" do
      expect(clamp(-1)).to eq(@low)
      expect(clamp(4)).not_to eq(5)
    end
  end

  it "raises" do
    expect { clamp(1, 3, 2) }.to raise_error(ArgumentError, /low/)
  end
end
""",
    "spec": """require "minitest/autorun"
require "minitest/spec"
describe "clamp" do
  before do
    @high = 7
  end
  it "is high" do
    _(clamp(9, 0, @high)).must_equal 7
    clamp(-1).must_equal 0
  end
  it "raises" do
    assert_raises(ArgumentError) { clamp(1, 3, 2) }
  end
end
""",
    "counts": """require "./solution"
$failures = 0
def check(name, ok)
  unless ok
    puts "FAIL #{name}"
    $failures += 1
  end
end
check("high", clamp(11) == 10)
check("low", clamp(-1) == 0)
exit($failures.zero? ? 0 : 1)
""",
    "functions": """def test_high
  raise "high" unless clamp(11) == 10
end

def test_low
  fail "low" if clamp(-1) != 0
end

if __FILE__ == $0
  test_high
  test_low
  puts "ok"
end
""",
    "module": """require "minitest/autorun"
module Tests
  class TestClamp < Minitest::Test
    def test_all
      assert_equal(10, clamp(11))
      assert_equal 0, clamp(-1)
    end
  end
end
""",
}
CASES = [
    *(Case(name, "ruby", CLAMP, tests, "passed", "right") for name, tests in STYLES.items()),
    *(Case(name, "ruby", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "ruby", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "ruby", program, MINITEST, "tests_failed", "hostile") for name, program in HOSTILE.items()),
    Case("off by one", "ruby", CLAMP.replace("x > high", "x >= high + 2"), PLAIN, "tests_failed", "wrong"),
    Case("syntax", "ruby", "def clamp(x\n", PLAIN, "tests_failed", "wrong"),
    Case(
        "a plain rescue, which takes no assertion",
        "ruby",
        CLAMP,
        VACUOUS["rescued"].replace("Minitest::Assertion", "StandardError"),
        "tests_failed",
        "wrong",
    ),
    Case("random", "ruby", CLAMP, PLAIN + "raise 'luck' if rand < 0.4\n", "tests_flaky|tests_failed", "flaky"),
    Case("third party", "ruby", "require 'activesupport_of_nobody'\n" + CLAMP, PLAIN, "not_verifiable", "elsewhere"),
]
