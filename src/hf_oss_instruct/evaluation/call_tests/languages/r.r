HIDDEN <- local({
  hex <- function(value) paste0("s", vapply(value, function(one) paste(charToRaw(enc2utf8(one)), collapse = ""), ""), ";")
  pieces <- function(value) paste(value, collapse = "")
  other <- function(name) paste0("o", pieces(charToRaw(name)), ";")
  text <- function(value, depth) {
    if (is.null(value)) return("n")
    kind <- if (is.list(value)) "list" else mode(value)
    known <- kind %in% c("list", "numeric", "character", "logical")
    if (!known || is.object(value) || length(setdiff(names(attributes(value)), "names")) > 0 || depth > 30) return(other(class(value)[1]))
    items <- switch(kind,
      list = vapply(unname(value), text, "", depth + 1),
      numeric = sub("dNA;", "n", sprintf("d%.17g;", as.double(value)), fixed = TRUE),
      character = ifelse(is.na(value), "n", hex(value)),
      logical = ifelse(is.na(value), "n", ifelse(value, "t", "f"))
    )
    named <- if (is.null(names(value))) "n" else paste0("[", pieces(hex(names(value))), "]")
    paste0("(", hex(kind), named, "[", pieces(items), "])")
  }
  function(number, value) {
    cat("\nNONCE ", number, " ", text(value, 0), "\n", sep = "", file = stdout())
    flush(stdout())
  }
}, envir = new.env(parent = baseenv()))
