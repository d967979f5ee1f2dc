(module HIDDEN racket/base
  (provide (rename-out [say HIDDEN]))
  (define (hex value) (apply string-append (for/list ([one (in-bytes value)]) (two one))))
  (define (two one) (string-append (if (< one 16) "0" "") (number->string one 16)))
  (define (other name) (string-append "o" (hex (string->bytes/utf-8 name)) ";"))
  (define (each values depth) (apply string-append (for/list ([one values]) (text one (add1 depth)))))
  (define (real value)
    (cond [(eqv? value +inf.0) "dinf;"] [(eqv? value -inf.0) "d-inf;"] [(not (= value value)) "dnan;"]
          [else (string-append "d" (regexp-replace #rx"^(-?)[.]" (number->string value) "\\10.") ";")]))
  (define (text value depth)
    (cond
      [(eq? value #t) "t"]
      [(eq? value #f) "f"]
      [(exact-integer? value) (string-append "i" (number->string value) ";")]
      [(real? value) (real (real->double-flonum value))]
      [(string? value) (string-append "s" (hex (string->bytes/utf-8 value (char->integer #\?))) ";")]
      [(> depth 60) (other "too deep")]
      [(list? value) (string-append "[" (each value depth) "]")]
      [(and (hash? value) (immutable? value) (hash-equal? value))
       (string-append "{" (each (apply append (for/list ([(key one) (in-hash value)]) (list key one))) depth) "}")]
      [else (other (cond [(void? value) "void"] [(symbol? value) "symbol"] [(hash? value) "a mutable hash"] [else "other"]))]))
  (define out (current-output-port))
  (define (say number value)
    (write-string (string-append "\nNONCE " (number->string number) " " (text value 0) "\n") out)
    (flush-output out)
    (void)))
(require (quote HIDDEN))
