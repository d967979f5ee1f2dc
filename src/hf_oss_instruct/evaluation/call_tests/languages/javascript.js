const HIDDEN = (() => {
  const { writeSync } = require("node:fs");
  const { Buffer } = require("node:buffer");
  const { isArray } = Array;
  const { keys } = Object;
  const tag = Object.prototype.toString;
  const has = Object.prototype.hasOwnProperty;
  const apply = Reflect.apply;
  const hex = (value) => Buffer.from(value, "utf8").toString("hex");
  const other = (name) => "o" + hex(name) + ";";
  const text = (value, depth) => {
    if (value === null || value === undefined) return "n";
    if (value === true) return "t";
    if (value === false) return "f";
    if (typeof value === "number") return "d" + value + ";";
    if (typeof value === "bigint") return "i" + value + ";";
    if (typeof value === "string") return "s" + hex(value) + ";";
    if (typeof value !== "object" || depth > 60) return other(typeof value);
    const kind = apply(tag, value, []);
    const names = keys(value);
    if (isArray(value) && names.length === value.length) {
      let all = "[";
      for (let at = 0; at < value.length; at++) all += apply(has, value, [at]) ? text(value[at], depth + 1) : other("hole");
      return all + "]";
    }
    if (kind !== "[object Object]") return other(kind);
    let all = "{";
    for (const name of names) all += text(name, depth + 1) + text(value[name], depth + 1);
    return all + "}";
  };
  return (number, value) => {
    let line = Buffer.from("\nNONCE " + number + " " + text(value, 0) + "\n", "latin1");
    while (line.length) line = line.subarray(writeSync(1, line));
  };
})();
