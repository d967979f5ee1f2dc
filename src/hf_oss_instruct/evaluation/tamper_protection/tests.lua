local HIDDEN = {}
do
    local type, next, rawget, error, tostring = type, next, rawget, error, tostring
    local function same(actual, expected)
        if type(actual) ~= "table" or type(expected) ~= "table" then return actual == expected end
        for key, value in next, expected do
            if not same(rawget(actual, key), value) then return false end
        end
        for key in next, actual do
            if rawget(expected, key) == nil then return false end
        end
        return true
    end
    HIDDEN.assertEquals = function(actual, expected)
        if not same(actual, expected) then
            error("Assertion failed: expected " .. tostring(expected) .. ", got " .. tostring(actual), 2)
        end
    end
end
