local HIDDEN
do
    local type, next, rawlen, rawget = type, next, rawlen, rawget
    local format, gsub, byte = string.format, string.gsub, string.byte
    local concat, kind = table.concat, math.type
    local out, write, flush = io.stdout, io.stdout.write, io.stdout.flush
    local function hex(value) return (gsub(value, ".", function(one) return format("%02x", byte(one)) end)) end
    local function text(value, depth)
        local of = type(value)
        if of == "nil" then return "n" end
        if of == "boolean" then return value and "t" or "f" end
        if of == "number" then return kind(value) == "integer" and format("i%d;", value) or format("d%.17g;", value) end
        if of == "string" then return "s" .. hex(value) .. ";" end
        if of ~= "table" or depth > 60 then return "o" .. hex(of) .. ";" end
        local length, count, parts = rawlen(value), 0, {}
        for _ in next, value do count = count + 1 end
        for at = 1, length do
            local one = rawget(value, at)
            if one ~= nil and count == length then parts[at] = text(one, depth + 1) end
        end
        if #parts == count then return "[" .. concat(parts) .. "]" end
        parts = {}
        for key, one in next, value do parts[#parts + 1] = text(key, depth + 1) .. text(one, depth + 1) end
        return "{" .. concat(parts) .. "}"
    end
    HIDDEN = function(number, value)
        write(out, "\nNONCE ", number, " ", text(value, 0), "\n")
        flush(out)
    end
end
