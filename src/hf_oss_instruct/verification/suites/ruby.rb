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
  failed = Class.new(StandardError)
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
  alias_method :assert_true, :assert
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
Minitest = Module.new.tap { |one| one.const_set(:Test, base) }
Test = Module.new.tap { |one| one.const_set(:Unit, Module.new.tap { |unit| unit.const_set(:TestCase, base) }) }
TOPLEVEL_BINDING.receiver.extend(assertions)
begin
  eval(tests, TOPLEVEL_BINDING, "tests.rb")
rescue Exception => error
  ours.say("load", "error", "before the tests: #{error.class}: #{error.message}")
  ours.stop
end
listed = JSON_OF_TESTS
(ours.reversed ? listed.reverse : listed).each do |number, owner, method|
  ours.now(number, lambda do
    case_ = Object.const_get(owner).allocate
    case_.setup
    begin
      case_.public_send(method)
    ensure
      case_.teardown
    end
  end)
end
ours.stop
