"""Ruby: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """# frozen_string_literal: true

class OutOfStockError < StandardError; end

class Inventory
  include Enumerable

  attr_reader :counts

  def initialize(counts = {})
    @counts = counts.dup
  end

  def add(name, count = 1)
    raise ArgumentError, "count must be positive, got #{count}" if count <= 0

    @counts[name] = @counts.fetch(name, 0) + count
    self
  end

  def remove(name, count = 1)
    have = @counts.fetch(name, 0)
    raise OutOfStockError, "only #{have} of #{name}" if count > have

    @counts[name] = have - count
  end

  def total
    @counts.values.sum
  end

  def include?(name)
    @counts.fetch(name, 0).positive?
  end

  def each(&block)
    @counts.each(&block)
  end
end

def median(values)
  return nil if values.empty?

  ordered = values.sort
  middle = ordered.size / 2
  return ordered[middle] if ordered.size.odd?

  (ordered[middle - 1] + ordered[middle]) / 2.0
end

def parse_pairs(text)
  text.split(';').to_h do |part|
    match = /\\A\\s*(\\w+)\\s*=\\s*(-?\\d+)\\s*\\z/.match(part)
    raise ArgumentError, "bad pair: #{part}" unless match

    [match[1].to_sym, match[2].to_i]
  end
end
"""
WRONG = {
    "the last one cannot be removed": ("if count > have", "if count >= have"),
    "upper median": ("(ordered[middle - 1] + ordered[middle]) / 2.0", "ordered[middle]"),
    "no negative numbers": ("(-?\\d+)", "(\\d+)"),
}
FULL = {
    "minitest": """require "minitest/autorun"
require_relative "../lib/inventory"

class InventoryTest < Minitest::Test
  def setup
    @inventory = Inventory.new("apple" => 3)
  end

  def teardown
    @inventory = nil
  end

  def test_remove_all
    assert_equal 0, @inventory.remove("apple", 3)
    refute @inventory.include?("apple")
    refute_includes @inventory, "apple"
    assert_predicate @inventory.total, :zero?
  end

  def test_remove_too_many
    error = assert_raises(OutOfStockError) { @inventory.remove("apple", 4) }
    assert_equal "only 3 of apple", error.message
    assert_match(/only 3/, error.message)
  end

  def test_median
    assert_in_delta 1.5, median([1, 2]), 0.001
    assert_nil median([])
    [[[1, 2], 1.5], [[3, 1, 2], 2]].each do |values, expected|
      assert_equal expected, median(values), "median of #{values}"
    end
  end

  def test_pairs
    assert_equal({ a: 1, b: -2 }, parse_pairs("a=1;b=-2"))
    assert_instance_of Hash, parse_pairs("")
    assert_operator parse_pairs("n=-4")[:n], :<, 0
  end
end
""",
    "test-unit": """require 'test/unit'
require './solution'

class TestInventory < Test::Unit::TestCase
  def setup
    @inv = Inventory.new
    @inv.add(:bolt, 5)
  end

  def test_remove
    assert_equal(0, @inv.remove(:bolt, 5))
    assert_raise(OutOfStockError) { @inv.remove(:bolt) }
    assert_raise_message("only 0 of bolt") { @inv.remove(:bolt) }
  end

  def test_functions
    assert_equal(2.5, median([4, 1]))
    assert_true(median([]).nil?)
    assert_equal({ k: -9 }, parse_pairs('k=-9'))
    assert_not_equal(1, parse_pairs('k=-1')[:k])
  end
end
""",
    "rspec": """require 'rspec'
require_relative 'inventory'

RSpec.describe Inventory do
  subject(:inventory) { described_class.new(counts) }

  let(:counts) { { 'apple' => 3 } }

  describe '#remove' do
    context 'when there is enough' do
      it 'removes' do
        expect(inventory.remove('apple', 3)).to eq(0)
        expect(inventory).not_to include('apple')
        expect { inventory.add('pear') }.to change { inventory.total }.by(1)
      end
    end

    context 'when there is too little' do
      let(:counts) { {} }

      it 'raises' do
        expect { inventory.remove('apple') }.to raise_error(OutOfStockError, 'only 0 of apple')
        expect { inventory.remove('apple') }.to raise_error(OutOfStockError, /only 0/)
        expect { inventory.add('apple', 0) }.to raise_error(ArgumentError)
      end
    end
  end
end

RSpec.describe '#median' do
  [[[1, 2], 1.5], [[5], 5], [[], nil]].each do |values, expected|
    it "is #{expected.inspect} for #{values}" do
      expect(median(values)).to eq(expected)
    end
  end

  it { expect(median([0.1, 0.2])).to be_within(0.001).of(0.15) }
  specify { expect(median([])).to be_nil }
end

describe 'parse_pairs' do
  it 'parses' do
    expect(parse_pairs('a=1;b=-2')).to eq(a: 1, b: -2)
    expect(parse_pairs('a=1')).to match(a: be > 0)
    expect(parse_pairs('a=1').keys).to contain_exactly(:a)
    expect(parse_pairs('a=-1')).to have_key(:a).and include(a: -1)
  end
end
""",
    "spec": """require 'minitest/spec'
require 'minitest/autorun'

describe Inventory do
  before do
    @inv = Inventory.new('a' => 1)
  end

  it 'removes' do
    _(@inv.remove('a')).must_equal 0
    expect(@inv.total).must_equal 0
    assert_raises(OutOfStockError) { @inv.remove('a') }
  end

  it 'has functions' do
    _(median([1, 2])).must_be_close_to 1.5, 0.001
    _(parse_pairs('a=-1')).must_equal({ a: -1 })
    _(-> { parse_pairs('oops') }).must_raise ArgumentError
    value(median([])).must_be_nil
  end
end
""",
    "raises": """require_relative 'solution'

# Test 1
inv = Inventory.new
inv.add('bolt', 5)
raise 'total' unless inv.total == 5

left = inv.remove('bolt', 5)
raise "left: #{left}" unless left.zero?

# Test 2
raise 'median' unless median([2, 1]) == 1.5
raise 'pairs' if parse_pairs('k=-9') != { k: -9 }

begin
  inv.remove('bolt')
  raise 'expected an error'
rescue OutOfStockError
  puts 'ok'
end
puts 'All tests passed!'
""",
    "an assert of their own": """def assert(condition, message = 'Assertion failed')
  raise message unless condition
end

def assert_equal(expected, actual, message = nil)
  raise "#{message}: expected #{expected.inspect}, got #{actual.inspect}" unless expected == actual
end

assert_equal 1.5, median([1, 2]), 'median'
assert_equal({ a: -1 }, parse_pairs('a=-1'))
assert Inventory.new('a' => 1).remove('a') == 0
puts 'ok'
""",
    "methods that are called": """def test_remove
  inv = Inventory.new('a' => 2)
  raise 'remove' unless inv.remove('a', 2) == 0
end

def test_median
  raise 'median' unless median([1, 2, 3, 4]) == 2.5
end

def test_pairs
  raise 'pairs' unless parse_pairs('a=-3;b=1') == { a: -3, b: 1 }
end

if __FILE__ == $PROGRAM_NAME
  test_remove
  test_median
  test_pairs
  puts 'All tests passed'
end
""",
    "counted failures": """failures = 0
check = lambda do |name, ok|
  next if ok

  warn "FAIL #{name}"
  failures += 1
end

check.call('median', median([1, 2]) == 1.5)
check.call('pairs', parse_pairs('a=-1') == { a: -1 })
check.('remove', Inventory.new('a' => 1).remove('a').zero?)
exit(failures.zero? ? 0 : 1)
""",
    "a table": """CASES = {
  [1, 2] => 1.5,
  [9, 7, 8] => 8
}.freeze

CASES.each do |values, expected|
  actual = median(values)
  raise "median(#{values}): #{actual}" unless actual == expected
end

%w[a=-1 a=-20].each { |text| raise text unless parse_pairs(text)[:a].negative? }
inv = Inventory.new('x' => 1)
fail 'remove' unless inv.remove('x') == 0
""",
    "minitest by hand": """require 'minitest'
include Minitest::Assertions

class << self
  attr_accessor :assertions
end
self.assertions = 0

assert_equal 1.5, median([1, 2])
assert_equal({ a: -1 }, parse_pairs('a=-1'))
assert_equal 0, Inventory.new('a' => 1).remove('a')
""",
}
UNIT = "require 'minitest/autorun'\n\nclass InventoryTest < Minitest::Test\n  def test_it\n    %s\n  end\nend\n"
VACUOUS = {
    "asserts nothing": UNIT % "median([1, 2])",
    "an instance": UNIT % "assert_instance_of Inventory, Inventory.new",
    "responds": UNIT % "assert_respond_to Inventory.new, :remove\n    refute_nil Inventory.new",
    "two calls": UNIT % "assert_equal median([1, 2]), median([1, 2])",
    "true": UNIT % "median([1])\n    assert true\n    assert_equal 2, 1 + 1",
    "rescued": UNIT % "begin\n      assert_equal 9, median([1])\n    rescue Minitest::Assertion => e\n      puts e\n    end",
    "skipped": UNIT % "skip 'later'\n    assert_equal 1, median([1])",
    "an argument order that is always true": UNIT % "assert median([1, 2]) || true, 'median'",
    "nothing raised": UNIT % "parse_pairs('a=1')\n    pass",
    "no case": "[].each { |v| raise 'x' unless median(v) == 1 }\nputs 'ok'\n",
    "prints": "puts median([1, 2]) == 1.5 ? 'PASS' : 'FAIL'\n",
    "pending": "RSpec.describe 'median' do\n  it 'is later'\n  xit('x') { expect(median([1])).to eq(1) }\nend\n",
    "expect without matcher": "RSpec.describe 'median' do\n  it('x') { expect(median([1, 2])) }\nend\n",
    "a method that nobody calls": "def test_median\n  raise 'x' unless median([1]) == 5\nend\nputs 'ok'\n",
}
