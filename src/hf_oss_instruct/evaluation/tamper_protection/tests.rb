class HIDDEN
  IS = BasicObject.instance_method(:equal?)
  KIND = Kernel.instance_method(:class)
  WHOLE, REAL, TEXT = [Integer, Float, String].map { |kind| kind.instance_method(:==) }
  LENGTH, AT = Array.instance_method(:length), Array.instance_method(:[])
  PAIRS = Hash.instance_method(:to_a)
  RAISE = Kernel.instance_method(:raise)

  define_method(:same) do |expected, actual|
    kind = KIND.bind_call(expected)
    of = KIND.bind_call(actual)
    numbers = { Integer => WHOLE, Float => REAL }
    next numbers[kind].bind_call(expected, actual) if numbers.key?(kind) && numbers.key?(of)
    next IS.bind_call(expected, actual) unless IS.bind_call(kind, of)
    next TEXT.bind_call(expected, actual) if IS.bind_call(kind, String)
    if IS.bind_call(kind, Hash)
      left, right = PAIRS.bind_call(expected), PAIRS.bind_call(actual)
      next false unless WHOLE.bind_call(LENGTH.bind_call(left), LENGTH.bind_call(right))
      next left.all? { |pair| right.any? { |other| same(pair, other) } }
    end
    next IS.bind_call(expected, actual) unless IS.bind_call(kind, Array)
    length = LENGTH.bind_call(expected)
    next false unless WHOLE.bind_call(length, LENGTH.bind_call(actual))
    at = 0
    at += 1 while at < length && same(AT.bind_call(expected, at), AT.bind_call(actual, at))
    WHOLE.bind_call(at, length)
  end

  define_method(:assert_equal) do |expected, actual|
    RAISE.bind_call(self, "Assertion failed") unless same(expected, actual)
  end
  private_constant(*constants)
  freeze
end
