# RSpec's doubles: objects, or single methods of them, that do what a test says, and what has to be called.
anything = Object.new.tap { |one| one.define_singleton_method(:===) { |_| true } }
message = Class.new do
  attr_reader :name, :count, :given, :results, :wanted
  def initialize(name, body) = (@name, @body, @count, @results, @given, @wanted = name, body, 0, [], nil, nil)
  def with(*given, **named, &_) = tap { @given = named.empty? ? given : [*given, named] }
  def no_args = tap { @given = [] }
  def and_return(*values, &body) = tap { @results = values.map { |value| ->(*, &_) { value } }; @body = body if body }
  def and_raise(*given) = tap { @results = [->(*, &_) { raise(*given) }] }
  def and_throw(*given) = tap { @results = [->(*, &_) { throw(*given) }] }
  def and_yield(*given) = tap { @results = [->(*, &block) { block.call(*given) }] }
  def and_call_original = tap { @original = true }
  def and_wrap_original(&body) = tap { @wrapped = body }
  def ordered = self
  def times = self
  def time = self
  def once = exactly(1)
  def twice = exactly(2)
  def thrice = exactly(3)
  def never = exactly(0)
  def exactly(count) = tap { @wanted = count..count }
  def at_least(count) = tap { @wanted = ({ once: 1, twice: 2 }[count] || count).. }
  def at_most(count) = tap { @wanted = 0..({ once: 1, twice: 2 }[count] || count) }
  def fits?(given) = @given.nil? || (@given.size == given.size && @given.zip(given).all? { |wanted, found| wanted === found || wanted == found })
  def answer(original, given, block)
    @count += 1
    return @wrapped.call(original, *given, &block) if @wrapped
    return original.call(*given, &block) if @original
    result = @results[[@count, @results.size].min - 1]
    result ? result.call(*given, &block) : @body&.call(*given, &block)
  end
  def begin_on(object, expected) = @table.begin(object, self, expected)
  def in_table(table) = tap { @table = table }
end
table = Class.new do
  define_method(:initialize) { @known, @calls, @undone = Hash.new { |all, key| all[key] = [] }, [], [] }
  define_method(:begin) do |object, one, expected|
    place(object, one.name)
    one.exactly(1) if expected && one.wanted.nil?
    @known[[object.__id__, one.name]].unshift(one)
    one
  end
  define_method(:place) do |object, name|
    next if @known.key?([object.__id__, name])
    its, known, calls = object.singleton_class, @known[[object.__id__, name]], @calls
    original = object.respond_to?(name, true) ? object.method(name) : nil
    its.define_method(name) do |*given, **named, &block|
      given << named unless named.empty?
      calls << [object.__id__, name, given]
      found = known.find { |one| one.fits?(given) }
      ours.fail!("#{name} was called with #{given.inspect}") unless found
      found.answer(original, given, block)
    end
    @undone << [its, name]
  end
  define_method(:called) { |object, name, given| @calls.push([object.__id__, name, given]) }
  define_method(:calls) { |object, name| @calls.filter_map { |id, one, given| given if id == object.__id__ && one == name } }
  define_method(:verify) do
    @known.each_value { |all| all.each { |one| ours.fail!("#{one.name} was called #{one.count} times, not #{one.wanted}") if one.wanted && !one.wanted.cover?(one.count) } }
  end
  define_method(:reset) { @undone.each { |its, name| its.remove_method(name) if its.method_defined?(name, false) || its.private_method_defined?(name, false) } }
end
doubles = Module.new do
  define_method(:doubles_of_ours) { @doubles_of_ours ||= table.new }
  define_method(:verify_doubles) { @doubles_of_ours&.verify }
  define_method(:reset_doubles) { @doubles_of_ours&.reset }
  define_method(:double) do |name = nil, given = nil, **values|
    values = { **(name.is_a?(Hash) ? name : {}), **(given || {}), **values }
    Object.new.tap { |one| values.each { |key, value| allow(one).to receive(key).and_return(value) } }
  end
  %i[instance_double class_double object_double].each { |name| define_method(name) { |kind = nil, **values| double(kind.to_s, **values) } }
  define_method(:spy) do |_name = nil, **values|
    its = doubles_of_ours
    double(**values).tap do |one|
      one.define_singleton_method(:method_missing) { |name, *given, **named, &_| its.called(self, name, named.empty? ? given : [*given, named]); self }
      one.define_singleton_method(:respond_to_missing?) { |*| true }
    end
  end
  alias_method :instance_spy, :spy
  define_method(:receive) { |name, &body| message.new(name, body).in_table(doubles_of_ours) }
  define_method(:allow) do |object|
    its = doubles_of_ours
    Object.new.tap do |one|
      one.define_singleton_method(:to) { |said| said.is_a?(Hash) ? said.each { |name, value| its.begin(object, message.new(name, nil).and_return(value), false) } : said.begin_on(object, false) }
    end
  end
  define_method(:receive_messages) { |**values| values }
  define_method(:have_received) do |name|
    its = doubles_of_ours
    wanted = message.new(name, nil)
    wanted.define_singleton_method(:begin_on) do |object, _|
      found = its.calls(object, name).count { |given| fits?(given) }
      ours.fail!("#{name} was called #{found} times") unless (self.wanted || (1..)).cover?(found)
    end
    wanted
  end
  define_method(:stub_const) { |name, value| Object.send(:remove_const, name) if Object.const_defined?(name); Object.const_set(name, value) }
  define_method(:any_args) { anything }
  define_method(:boolean) { Object.new.tap { |one| one.define_singleton_method(:===) { |value| [true, false].include?(value) } } }
end
