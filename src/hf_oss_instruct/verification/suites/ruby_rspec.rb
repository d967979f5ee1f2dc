# RSpec: matchers, expectations, groups of examples with their hooks, and how an example runs.
matcher = Struct.new(:held, :text, :call) do
  def with(*given, &held) = held ? self.class.new(held, text, call) : self
  def of(wanted) = with { |value| (value - wanted).abs <= held.call }
  def by(count) = change { |before, after| after - before == count }
  def by_at_least(count) = change { |before, after| after - before >= count }
  def by_at_most(count) = change { |before, after| after - before <= count }
  def from(value) = change { |before, _| value === before }
  def to(value) = change { |_, after| value === after }
  attr_accessor :watched
  def change(&fits)
    of, first = watched || held, watched && held
    self.class.new(nil, text, true).tap do |one|
      one.watched = of
      one.held = ->(body, before = (of.call), after = (body.call; of.call)) { fits.call(before, after) && (!first || first.call(body, before, after)) }
    end
  end
  def inclusive = self
  def with_message(wanted) = self.class.new(->(body) { error = held.call(body); error && (wanted.is_a?(Regexp) ? wanted.match?(error.message) : wanted == error.message) && error }, text, true)
  def argument = self
  def arguments = self
  def to_stdout = self
  def and(other) = with { |value| [self, other].all? { |one| one.held.call(value) } }
  def or(other) = with { |value| [self, other].any? { |one| one.held.call(value) } }
  def ===(value) = held.call(value)
  def description = text
  def and_return(*) = self
  %i[< <= > >=].each { |name| define_method(name) { |other| with { |value| value.public_send(name, other) } } }
  def ==(other) = with { |value| value == other }
end
expectation = Class.new do
  define_method(:initialize) { |value, body| @value, @body = value, body }
  define_method(:judge) { |it, wanted| ours.fail!("expectation: #{@value.inspect} #{it.text}") unless (!!it.held.call(it.call ? @body : @value)) == wanted }
  def to(it, *, &block) = it.respond_to?(:begin_on) ? it.begin_on(@value, true) : block && it.call ? block.call(fitting(it)) : judge(it, true)
  define_method(:fitting) { |it| found = it.held.call(@body); ours.fail!("expectation: #{it.text}") unless found; found }
  def not_to(it, *) = it.respond_to?(:begin_on) ? it.never.begin_on(@value, true) : judge(it, false)
  alias_method :to_not, :not_to
  { equal: :assert_equal, include: :assert_includes, be_nil: :assert_nil, be_empty: :assert_empty, match: :assert_match, be_instance_of: :assert_instance_of,
    be_kind_of: :assert_kind_of, respond_to: :assert_respond_to, be_close_to: :assert_in_delta, be_within_delta: :assert_in_delta }.each do |name, assertion|
    define_method("must_#{name}") do |*given|
      first = %i[include be_nil be_empty].include?(name) ? [@value, *given] : name == :respond_to ? [@value, *given] : [given[0], @value, *given[1..]]
      TOPLEVEL_BINDING.receiver.public_send(assertion, *first)
    end
  end
  define_method(:wont_equal) { |other| ours.fail!("both are #{other.inspect}") if ours.same(other, @value) }
  define_method(:wont_be_nil) { ours.fail!("nil") if nil.equal?(@value) }
  define_method(:wont_include) { |one| ours.fail!("included") if @value.include?(one) }
  define_method(:wont_be_empty) { ours.fail!("empty") if @value.empty? }
  define_method(:must_be) { |name, *given| ours.fail!("not #{name}") unless @value.public_send(name, *given) }
  define_method(:wont_be) { |name, *given| ours.fail!("is #{name}") if @value.public_send(name, *given) }
  define_method(:must_raise) { |*kinds| TOPLEVEL_BINDING.receiver.assert_raises(*kinds, &(@body || @value)) }
end
(expectation.instance_methods(false).grep(/\A(must|wont)_/)).each do |name|
  Object.define_method(name) { |*given| expectation.new(self, nil).public_send(name, *given) }
end
words = Module.new do
  make = ->(text, call = nil, &held) { matcher.new(held, text, call) }
  sorted = ->(all) { all.map(&:inspect).sort }
  define_method(:eq) { |other| make.call("eq #{other.inspect}") { |value| ours.same(other, value) } }
  define_method(:eql) { |other| make.call("eql") { |value| other.eql?(value) } }
  define_method(:equal) { |other| make.call("equal") { |value| other.equal?(value) } }
  define_method(:be) { |*given| make.call("be #{given.inspect}") { |value| given.empty? ? value : given[0].equal?(value) } }
  define_method(:be_nil) { make.call("be_nil") { |value| nil.equal?(value) } }
  define_method(:be_truthy) { make.call("be_truthy") { |value| value } }
  define_method(:be_falsey) { make.call("be_falsey") { |value| !value } }
  define_method(:be_a) { |kind| make.call("be_a #{kind}") { |value| kind === value } }
  %i[be_an be_kind_of be_a_kind_of].each { |name| alias_method name, :be_a }
  alias_method :be_falsy, :be_falsey
  define_method(:be_instance_of) { |kind| make.call("be_instance_of") { |value| value.instance_of?(kind) } }
  define_method(:be_within) { |most| make.call("be_within") { most } }
  define_method(:be_between) { |low, high| make.call("be_between") { |value| value.between?(low, high) } }
  define_method(:include) { |*items, **pairs| make.call("include") { |value| items.all? { |one| one.respond_to?(:held) ? value.any? { |item| one.held.call(item) } : value.include?(one) } && pairs.all? { |key, one| ours.same(one, value[key]) } } }
  define_method(:match) { |pattern| make.call("match") { |value| pattern.is_a?(Regexp) ? pattern.match?(value) : ours.same(pattern, value) } }
  same_items = lambda do |wanted, found|
    next sorted.(wanted) == sorted.(found) if wanted.none? { |one| one.respond_to?(:held) }
    left = found.dup
    wanted.size == found.size && wanted.sort_by { |one| one.respond_to?(:held) ? 1 : 0 }.all? { |one| (at = left.index { |item| one === item || one == item }) && (left.delete_at(at); true) }
  end
  define_method(:contain_exactly) { |*items| make.call("contain_exactly") { |value| same_items.(items, value.to_a) } }
  define_method(:match_array) { |items| make.call("match_array") { |value| sorted.(items) == sorted.(value.to_a) } }
  define_method(:start_with) { |*given| make.call("start_with") { |value| value.start_with?(*given) } }
  define_method(:end_with) { |*given| make.call("end_with") { |value| value.end_with?(*given) } }
  define_method(:have_key) { |key| make.call("have_key") { |value| value.key?(key) } }
  define_method(:respond_to) { |*names| make.call("respond_to") { |value| names.all? { |name| value.respond_to?(name) } } }
  define_method(:have_attributes) { |**pairs| make.call("have_attributes") { |value| pairs.all? { |name, one| ours.same(one, value.public_send(name)) } } }
  define_method(:all) { |one| make.call("all") { |value| value.all? { |item| one.held.call(item) } } }
  define_method(:satisfy) { |*_, &body| make.call("satisfy", &body) }
  define_method(:change) { |owner = nil, name = nil, &body| body ||= -> { owner.public_send(name) }; matcher.new(->(called = nil) { called ? (before = body.call; called.call; body.call != before) : body.call }, "change", true) }
  define_method(:output) { |wanted| require "stringio"; make.call("output", true) { |body| kept, $stdout = $stdout, StringIO.new; begin; body.call; said = $stdout.string; ensure; $stdout = kept; end; wanted === said } }
  define_method(:raise_error) do |kind = Exception, text = nil|
    if kind.respond_to?(:held)
      next make.call("raise_error", true) { |body| begin; body.call; false; rescue Exception => error; kind.held.call(error) && error; end }
    end
    kind, text = Exception, kind unless kind.is_a?(Module)
    make.call("raise_error #{kind}", true) { |body| begin; body.call; false; rescue kind => error; (text.nil? || (text.respond_to?(:held) || text.is_a?(Regexp) ? text === error.message : text == error.message)) && error; end }
  end
  { raise_exception: :raise_error, an_instance_of: :be_instance_of, instance_of: :be_instance_of, a_kind_of: :be_a, kind_of: :be_a, a_value: :be, a_string_matching: :match,
    a_string_including: :include, a_hash_including: :include, hash_including: :include, array_including: :include, a_collection_including: :include, including: :include,
    a_collection_containing_exactly: :contain_exactly, a_string_starting_with: :start_with, a_string_ending_with: :end_with, a_value_within: :be_within, a_value_between: :be_between,
    an_object_having_attributes: :have_attributes, a_collection_starting_with: :start_with, eq_to: :eq, an_object_eq_to: :eq }.each { |name, other| alias_method name, other }
  define_method(:anything) { make.call("anything") { |_| true } }
  define_method(:aggregate_failures) { |*_, &body| body.call }
  define_method(:exist) { make.call("exist") { |value| value.exist? } }
  define_method(:cover) { |*items| make.call("cover") { |value| items.all? { |one| value.cover?(one) } } }
  define_method(:throw_symbol) { |tag| make.call("throw_symbol", true) { |body| reached = true; catch(tag) { body.call; reached = false }; reached } }
  define_method(:method_missing) do |name, *given, &body|
    next super(name, *given, &body) unless name.to_s.start_with?("be_") || name.to_s.start_with?("have_")
    make.call(name.to_s) { |value| value.public_send("#{name.to_s.sub(/\Abe_/, "").sub(/\Ahave_/, "has_")}?", *given) }
  end
  define_method(:respond_to_missing?) { |name, all = false| name.to_s.start_with?("be_") || super(name, all) }
  define_method(:expect) { |value = nil, &body| expectation.new(value, body) }
  define_method(:_) { |value = nil, &body| expectation.new(value, body) }
  define_method(:value) { |value = nil, &body| expectation.new(value, body) }
  define_method(:is_expected) { expectation.new(subject, nil) }
  define_method(:described_class) { self.class.described }
end
#DOUBLES
examples = Hash.new { |all, number| all[number] = [] }
group = Class.new(base) do
  include words
  include doubles
  shared = {}
  define_singleton_method(:shared_examples) { |name, *_, &body| shared[name] = body }
  define_singleton_method(:include_examples) { |name, *given, &body| class_exec(*given, &shared.fetch(name)); class_eval(&body) if body }
  define_singleton_method(:it_behaves_like) { |name, *given, &body| Class.new(self).tap { |inner| inner.class_exec(*given, &shared.fetch(name)); inner.class_eval(&body) if body } }
  class << self
    attr_accessor :described, :rspec
    alias shared_examples_for shared_examples
    alias shared_context shared_examples
    alias include_context include_examples
    alias it_should_behave_like it_behaves_like
    def around(*, &body) = hooks[:around] << body
    def described = @described || (superclass.respond_to?(:described) ? superclass.described : nil)
    def hooks = @hooks ||= { before: [], after: [], around: [] }
    def describe(*given, **, &body) = Class.new(self).tap { |inner| inner.described = given[0] if given[0].is_a?(Module); inner.class_eval(&body) }
    def before(*, &body) = hooks[:before] << body
    alias prepend_before before
    def after(*, &body) = hooks[:after] << body
    def let(name, &body) = define_method(name) { (@kept ||= {}).fetch(name) { @kept[name] = instance_exec(&body) } }
    def subject(name = :subject, &body) = (let(name, &body); alias_method(:subject, name))
    def let!(name, &body) = (let(name, &body); before { public_send(name) })
    alias context describe
    alias subject! subject
  end
  define_singleton_method(:example_of_ours) { |number, *_, **_options, &body| examples[number] << [self, body] }
  define_singleton_method(:skipped_example) { |number, *_, **_options, &_body| examples[number] << nil }
  def subject = self.class.described.new
end
base.define_singleton_method(:described) { nil }
run_example = lambda do |owner, body|
  one = owner.allocate
  levels = owner.ancestors.grep(Class).select { |level| level.respond_to?(:hooks) }
  begin
    one.setup
    levels.reverse.each { |level| level.hooks[:before].each { |hook| one.instance_exec(&hook) } }
    around = levels.flat_map { |level| level.hooks[:around] }
    run = -> { one.instance_exec(&body) }
    around.reduce(run) { |inner, hook| -> { one.instance_exec(inner.tap { |it| it.define_singleton_method(:run) { call } }, &hook) } }.call
    one.verify_doubles
  ensure
    one.reset_doubles
    levels.each { |level| level.hooks[:after].each { |hook| one.instance_exec(&hook) } }
    one.teardown
  end
end
Object.send(:remove_const, :RSpec) if Object.const_defined?(:RSpec)
RSpec = Module.new.tap { |one| one.define_singleton_method(:describe) { |*given, **named, &body| group.describe(*given, **named, &body) }; one.define_singleton_method(:configure) { |*, &_| nil } }
%i[shared_examples shared_examples_for shared_context].each do |name|
  [RSpec, TOPLEVEL_BINDING.receiver].each { |one| one.define_singleton_method(name) { |*given, &body| group.shared_examples(*given, &body) } }
end
%i[context feature].each { |name| RSpec.define_singleton_method(name) { |*given, **named, &body| group.describe(*given, **named, &body) } }
TOPLEVEL_BINDING.receiver.define_singleton_method(:describe) { |*given, **named, &body| group.describe(*given, **named, &body) }
