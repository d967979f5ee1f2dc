HIDDEN = Module.new do
  nonce, variant, first, reversed = $stdin.read.split
  $stdin.reopen(File::NULL)
  channel = IO.for_fd(IO.instance_method(:fcntl).bind_call($stdout, 1030, 100), "w")
  channel.sync = true
  $stdout.reopen(File::NULL, "w")
  kind = Kernel.instance_method(:class)
  raising = Kernel.instance_method(:raise)
  write = IO.instance_method(:syswrite)
  equal = [Integer, Float, String, Symbol, NilClass, TrueClass, FalseClass, Array, Hash].to_h { |one| [one, one.instance_method(:==)] }
  numbers = [Integer, Float]
  failed = Class.new(Exception) # as in minitest and RSpec: a plain `rescue` does not take it
  skipped = Class.new(Exception)
  stop = Kernel.instance_method(:exit!)
  define_singleton_method(:say) do |number, status, detail|
    text = detail.to_s[0, 200].gsub(/[^ -~]|["\\]/, " ")
    write.bind_call(channel, "\n#{nonce} #{number} #{status} \"#{text}\"\n")
  end
  define_singleton_method(:same) do |expected, actual|
    own, other = kind.bind_call(expected), kind.bind_call(actual)
    next expected == actual unless equal.key?(own)
    next false unless equal.key?(other)
    equal[own].bind_call(expected, actual)
  end
  define_singleton_method(:fail!) { |text| raising.bind_call(self, failed, text) }
  define_singleton_method(:skip!) { |text| raising.bind_call(self, skipped, text.to_s) }
  define_singleton_method(:failed) { failed }
  define_singleton_method(:skipped) { skipped }
  define_singleton_method(:first) { first.to_i }
  define_singleton_method(:reversed) { reversed == "1" }
  define_singleton_method(:variant) { variant }
  define_singleton_method(:stop) { stop.bind_call(self, 0) }
  define_singleton_method(:now) do |number, body|
    next if number < first.to_i
    begin
      body.call
      say(number, "passed", "")
    rescue skipped => error
      say(number, "skipped", error.message)
    rescue Exception => error
      say(number, "failed", "#{error.class}: #{error.message}")
    end
  end
end
ours = HIDDEN
assertions = Module.new do
  define_method(:assert) { |value = nil, text = "assert", &body| body && value.nil? ? ours.fail!(text) : (ours.fail!(text) unless value) }
  define_method(:refute) { |value, text = "refute"| ours.fail!(text) if value }
  define_method(:assert_equal) { |expected, actual, text = nil| ours.fail!("expected #{expected.inspect}, got #{actual.inspect}") unless ours.same(expected, actual) }
  define_method(:refute_equal) { |expected, actual, text = nil| ours.fail!("both are #{expected.inspect}") if ours.same(expected, actual) }
  define_method(:assert_nil) { |value, text = nil| ours.fail!("not nil") unless nil.equal?(value) }
  define_method(:refute_nil) { |value, text = nil| ours.fail!("nil") if nil.equal?(value) }
  define_method(:assert_empty) { |value, text = nil| ours.fail!("not empty") unless value.empty? }
  define_method(:refute_empty) { |value, text = nil| ours.fail!("empty") if value.empty? }
  define_method(:assert_includes) { |all, one, text = nil| ours.fail!("not included") unless all.include?(one) }
  define_method(:refute_includes) { |all, one, text = nil| ours.fail!("included") if all.include?(one) }
  define_method(:assert_instance_of) { |type, value, text = nil| ours.fail!("not a #{type}") unless value.instance_of?(type) }
  define_method(:assert_kind_of) { |type, value, text = nil| ours.fail!("not a #{type}") unless value.is_a?(type) }
  define_method(:assert_respond_to) { |value, name, text = nil| ours.fail!("no #{name}") unless value.respond_to?(name) }
  define_method(:assert_match) { |pattern, value, text = nil| ours.fail!("no match") unless value.match?(pattern) }
  define_method(:assert_in_delta) { |expected, actual, most = 0.001, text = nil| ours.fail!("expected #{expected}, got #{actual}") unless (expected - actual).abs <= most }
  define_method(:assert_operator) { |one, operator, other, text = nil| ours.fail!("not #{operator}") unless one.public_send(operator, other) }
  define_method(:assert_predicate) { |value, name, text = nil| ours.fail!("not #{name}") unless value.public_send(name) }
  define_method(:assert_raises) do |*kinds, &body|
    kinds = kinds.grep(Module)
    kinds = [StandardError] if kinds.empty?
    found = nil
    begin
      body.call
    rescue *kinds => error
      found = error
    end
    ours.fail!("nothing was raised") unless found
    found
  end
  define_method(:assert_raise_message) { |text, *_, &body| found = assert_raises(Exception, &body); ours.fail!("it said #{found.message.inspect}") unless text === found.message }
  define_method(:assert_same) { |expected, actual, text = nil| ours.fail!("not the same") unless expected.equal?(actual) }
  define_method(:refute_same) { |expected, actual, text = nil| ours.fail!("the same") if expected.equal?(actual) }
  define_method(:refute_match) { |pattern, value, text = nil| ours.fail!("a match") if value.match?(pattern) }
  define_method(:refute_instance_of) { |type, value, text = nil| ours.fail!("a #{type}") if value.instance_of?(type) }
  define_method(:refute_kind_of) { |type, value, text = nil| ours.fail!("a #{type}") if value.is_a?(type) }
  define_method(:refute_respond_to) { |value, name, text = nil| ours.fail!("has #{name}") if value.respond_to?(name) }
  define_method(:refute_operator) { |one, operator, other, text = nil| ours.fail!("it is #{operator}") if one.public_send(operator, other) }
  define_method(:refute_predicate) { |value, name, text = nil| ours.fail!("it is #{name}") if value.public_send(name) }
  define_method(:refute_in_delta) { |expected, actual, most = 0.001, text = nil| ours.fail!("both are #{expected}") if (expected - actual).abs <= most }
  define_method(:assert_in_epsilon) { |expected, actual, most = 0.001, text = nil| ours.fail!("expected #{expected}, got #{actual}") unless (expected - actual).abs <= most * [expected.abs, actual.abs].min }
  define_method(:assert_silent) { |&body| assert_output("", nil, &body) }
  define_method(:capture_io) do |&body|
    require "stringio"
    kept = [$stdout, $stderr]
    $stdout, $stderr = StringIO.new, StringIO.new
    begin
      body.call
      [$stdout.string, $stderr.string]
    ensure
      $stdout, $stderr = kept
    end
  end
  define_method(:assert_throws) { |tag, text = nil, &body| reached = true; found = catch(tag) { body.call(tag); reached = false }; ours.fail!("#{tag} was not thrown") unless reached; found }
  define_method(:assert_nothing_raised) { |*kinds, &body| body.call }
  define_method(:assert_output) do |out = nil, err = nil, &body|
    require "stringio"
    kept, $stdout = $stdout, StringIO.new
    begin
      body.call
      said = $stdout.string
    ensure
      $stdout = kept
    end
    ours.fail!("it printed #{said.inspect}") unless out.nil? || out === said
  end
  alias_method :assert_raise, :assert_raises
  define_method(:assert_true) { |value, text = nil| ours.fail!("not true") unless true.equal?(value) }
  alias_method :assert_include, :assert_includes
  alias_method :assert_not_include, :refute_includes
  alias_method :assert_not_empty, :refute_empty
  alias_method :assert_not_match, :refute_match
  alias_method :assert_not_same, :refute_same
  alias_method :assert_not_nil, :refute_nil
  alias_method :assert_not_equal, :refute_equal
  define_method(:assert_false) { |value, text = nil| ours.fail!("not false") unless false.equal?(value) }
  define_method(:flunk) { |text = "flunk"| ours.fail!(text) }
  define_method(:skip) { |text = ""| ours.skip!(text) }
  define_method(:omit) { |text = ""| ours.skip!(text) }
  define_method(:pass) { |text = ""| nil }
end
base = Class.new do
  include assertions
  class << self
    def rows = @rows ||= {}
    def data(*given, **named, &made)
      @waiting = (@waiting || []) + (made ? made.call.values : named.any? ? named.values : given[0].is_a?(Hash) ? given[0].values : [given[-1]])
    end
    def method_added(name)
      rows[name], @waiting = @waiting, nil if @waiting
      super
    end
    def test(name, &body) = define_method("test: #{name}", &body)
  end
  def setup; end
  def teardown; end
end
program, tests = File.read("v#{ours.variant}.rb"), File.read("t.rb")
begin
  eval(program, TOPLEVEL_BINDING, File.expand_path("v#{ours.variant}.rb"))
rescue Exception => error
  ours.say("load", "error", "#{error.class}: #{error.message}")
  ours.stop
end
assertions.freeze
%i[Minitest Test].each { |name| Object.send(:remove_const, name) if Object.const_defined?(name) }
Minitest = Module.new.tap { |one| { Test: base, Assertions: assertions, Assertion: ours.failed, Skip: ours.skipped }.each { |name, value| one.const_set(name, value) } }
Minitest.const_set(:Mock, Class.new do
  define_method(:initialize) { @left = Hash.new { |all, name| all[name] = [] } }
  define_method(:expect) do |name, value, given = [], &block|
    @left[name] << [value, given, block]
    left = @left
    define_singleton_method(name) do |*found, **named, &called|
      found << named unless named.empty?
      result, wanted, body = left[name].shift || ours.fail!("#{name} was called too often")
      fits = body ? body.call(*found, &called) : wanted.size == found.size && wanted.zip(found).all? { |one, other| one === other || one == other }
      ours.fail!("#{name} was called with #{found.inspect}") unless fits
      result
    end
    self
  end
  define_method(:verify) { @left.each { |name, left| ours.fail!("#{name} was not called") unless left.empty? }; true }
end)
Object.define_method(:stub) do |name, value_or_call, *_, &body|
  original = respond_to?(name, true) ? method(name) : nil
  define_singleton_method(name) { |*given, **named, &block| value_or_call.respond_to?(:call) ? value_or_call.call(*given, **named, &block) : value_or_call }
  begin
    body.call(self)
  ensure
    singleton_class.remove_method(name)
    define_singleton_method(name, original) if original && original.owner == singleton_class
  end
end
base.define_method(:assert_mock) { |mock| mock.verify }
Test = Module.new.tap { |one| one.const_set(:Unit, Module.new.tap { |unit| unit.const_set(:TestCase, base) }) }
#RSPEC
TOPLEVEL_BINDING.receiver.extend(assertions)
$VERBOSE = nil # texts that are put together define their constants again
begin
  eval(tests, TOPLEVEL_BINDING, "tests.rb")
rescue Exception => error
  ours.say("load", "error", "before the tests: #{error.class}: #{error.message}")
  ours.stop
end
listed = JSON_OF_TESTS
(ours.reversed ? listed.reverse : listed).each do |number, owner, method|
  if owner.nil?
    found = examples[number]
    ours.now(number, lambda do
      ours.fail!("there is no example") if found.empty?
      found.each { |one| one ? run_example.call(*one) : ours.skip!("pending") }
    end)
    next
  end
  ours.now(number, lambda do
    kind = Object.const_get(owner)
    (kind.rows[method.to_sym]&.map { |row| [row] } || [[]]).each do |row|
      case_ = kind.allocate
      case_.setup
      begin
        case_.public_send(method, *row)
      ensure
        case_.teardown
      end
    end
  end)
end
ours.stop
