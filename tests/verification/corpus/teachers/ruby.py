"""RSpec with shared examples and doubles, minitest with mocks, test-unit with data."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "ruby")

RS = """class Account
  class InsufficientFunds < StandardError
    def initialize(need) = super("need #{need} more")
  end

  attr_reader :balance, :log

  def initialize(balance = 0, notifier: nil)
    @balance = balance
    @notifier = notifier
    @log = []
  end

  def deposit(amount)
    raise ArgumentError, 'amount must be positive' unless amount.positive?

    @log << [:deposit, amount]
    @notifier&.notify(:deposit, amount)
    @balance += amount
  end

  def withdraw(amount)
    raise InsufficientFunds, amount - @balance if amount > @balance

    @log << [:withdraw, amount]
    @balance -= amount
  end

  def empty? = @balance.zero?

  def to_s = format('$%.2f', @balance)

  def print_log(io = $stdout) = log.each { |kind, n| io.puts "#{kind}: #{n}" }
end
"""
RT = """require 'rspec'
require_relative '../lib/account'

RSpec.shared_examples 'a movement' do |kind, amount|
  it "logs #{kind}" do
    account.public_send(kind, amount)
    expect(account.log.last).to eq([kind, amount])
  end
end

RSpec.describe Account do
  subject(:account) { described_class.new(100, notifier: notifier) }

  let(:notifier) { double('notifier', notify: true) }

  it_behaves_like 'a movement', :deposit, 5
  include_examples 'a movement', :withdraw, 7

  describe '#deposit' do
    it 'notifies' do
      expect(notifier).to receive(:notify).with(:deposit, 5)
      account.deposit(5)
    end

    it { expect { account.deposit(10) }.to change(account, :balance).from(100).to(110) }

    it 'refuses' do
      aggregate_failures do
        expect { account.deposit(0) }.to raise_error(ArgumentError, 'amount must be positive')
        expect { account.deposit(-1) }.to raise_error(an_instance_of(ArgumentError))
      end
    end
  end

  describe '#withdraw' do
    [[100, 0], [1, 99]].each do |amount, left|
      it "leaves #{left}" do
        expect(account.withdraw(amount)).to eq left
      end
    end

    it 'refuses more than there is' do
      expect { account.withdraw(101) }.to raise_error(Account::InsufficientFunds) { |e| expect(e.message).to eq('need 1 more') }
      expect { account.withdraw(101) rescue nil }.not_to change { account.balance }
    end
  end

  context 'when empty' do
    subject(:account) { described_class.new }

    it { is_expected.to be_empty }
    its_text = '$0.00'
    it('prints') { expect(account.to_s).to eq(its_text).and start_with('$') }
    it { is_expected.to have_attributes(balance: 0, log: []) }
  end

  it 'prints its log' do
    account.deposit(1)
    expect { account.print_log }.to output("deposit: 1\\n").to_stdout
  end

  it 'spies' do
    spy = spy('notifier')
    described_class.new(1, notifier: spy).deposit(2)
    expect(spy).to have_received(:notify).with(:deposit, 2).once
  end

  it 'allows' do
    allow(notifier).to receive(:notify).and_return(false)
    expect(account.deposit(1)).to be > 100
    expect([1, 2, 3]).to all(be_an(Integer)).and include(a_value > 2)
  end
end
"""
add("rspec shared examples, doubles, change", "right", RS, RT)
add("rspec shared examples, not logged", "wrong", RS.replace("    @log << [:withdraw, amount]\n", ""), RT)
add(
    "rspec not notified",
    "wrong",
    RS.replace("    @notifier&.notify(:deposit, amount)\n", ""),
    """RSpec.describe Account do
  let(:notifier) { double('n') }
  subject { described_class.new(3, notifier: notifier) }
  it 'notifies' do
    expect(notifier).to receive(:notify).with(:deposit, 2)
    subject.deposit(2)
  end
  it { expect(Account.new(3).withdraw(1)).to eq 2 }
  it { expect(Account.new(3).deposit(1)).to eq 4 }
end
""",
)
add(
    "rspec verifies only a double",
    "vacuous",
    RS,
    """RSpec.describe Account do
  it 'works' do
    a = double('account', balance: 5)
    expect(a.balance).to eq(5)
  end
end
""",
)
add(
    "rspec hooks, focus, around, metadata",
    "right",
    RS,
    """require 'spec_helper'
describe Account do
  let!(:account) { Account.new(10) }
  before(:each) { account.deposit(5) }
  around { |example| example.run }
  after { @x = nil }
  it 'adds', :fast do
    expect(account.balance).to eql(15)
    expect(account).not_to be_empty
    expect(account.log).to match_array([[:deposit, 5]])
    expect(account.log).to contain_exactly(a_collection_containing_exactly(:deposit, 5))
    expect { account.withdraw(16) }.to raise_exception(Account::InsufficientFunds, /need 1/)
  end
  it 'takes' do
    expect { account.withdraw(5) }.to change { account.balance }.by(-5)
    expect(account.balance).to be_between(9, 11).inclusive
    expect(account.to_s).to match(/10/)
    expect(account).to respond_to(:deposit).with(1).argument
  end
  example('raises') { expect { Account.new.deposit(0) }.to raise_error(ArgumentError).with_message(/positive/) }
end
""",
)
add(
    "minitest mock, stub, setup",
    "right",
    RS,
    """require 'minitest/autorun'
require 'minitest/mock'
class AccountTest < Minitest::Test
  def setup
    @mock = Minitest::Mock.new
    @account = Account.new(10, notifier: @mock)
  end
  def test_deposit
    @mock.expect(:notify, nil, [:deposit, 5])
    assert_equal 15, @account.deposit(5)
    @mock.verify
  end
  def test_withdraw
    error = assert_raises(Account::InsufficientFunds) { @account.withdraw(11) }
    assert_equal 'need 1 more', error.message
    assert_equal 0, @account.withdraw(10)
    assert_empty @account
    assert_output("withdraw: 10\\n") { @account.print_log }
  end
  def test_stub
    Account.stub(:new, 3) { assert_equal 3, Account.new }
    assert_equal '$10.00', @account.to_s
  end
end
""",
)
add(
    "assert_raises of a subclass",
    "right",
    RS,
    """require 'test/unit'
class AccountTest < Test::Unit::TestCase
  data('one' => [10, 1, 9], 'all' => [10, 10, 0])
  def test_withdraw(data)
    have, take, left = data
    assert_equal(left, Account.new(have).withdraw(take))
  end
  test 'deposit' do
    assert_equal 3, Account.new(1).deposit(2)
    assert_raise(ArgumentError) { Account.new.deposit(0) }
    assert_raise_message('need 1 more') { Account.new.withdraw(1) }
    assert_true Account.new.empty?
  end
end
""",
)
