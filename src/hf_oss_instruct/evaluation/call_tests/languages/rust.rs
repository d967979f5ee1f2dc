mod HIDDEN {
    pub trait Say { fn say(&self, out: &mut ::std::string::String); }
    fn hex(bytes: &[u8], out: &mut ::std::string::String) {
        out.push('s');
        for byte in bytes { out.push_str(&::std::format!("{:02x}", byte)); }
        out.push(';');
    }
    fn all<'a, T: Say + 'a>(items: impl ::std::iter::Iterator<Item = &'a T>, out: &mut ::std::string::String, ends: [char; 2]) {
        out.push(ends[0]);
        for item in items { item.say(out); }
        out.push(ends[1]);
    }
    fn pairs<'a, K: Say + 'a, V: Say + 'a>(items: impl ::std::iter::Iterator<Item = (&'a K, &'a V)>, out: &mut ::std::string::String) {
        out.push('{');
        for (key, value) in items { key.say(out); value.say(out); }
        out.push('}');
    }
    macro_rules! whole { ($($t:ty)*) => { $(impl Say for $t {
        fn say(&self, out: &mut ::std::string::String) { out.push_str(&::std::format!("i{};", self)); }
    })* } }
    macro_rules! float { ($($t:ty)*) => { $(impl Say for $t {
        fn say(&self, out: &mut ::std::string::String) { out.push_str(&::std::format!("d{:?};", *self as f64)); }
    })* } }
    macro_rules! tuple { ($($t:ident $n:tt)*) => { impl<$($t: Say),*> Say for ($($t,)*) {
        fn say(&self, out: &mut ::std::string::String) { out.push('('); $(self.$n.say(out);)* out.push(')'); }
    } } }
    whole!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
    float!(f32 f64);
    tuple!(A 0);
    tuple!(A 0 B 1);
    tuple!(A 0 B 1 C 2);
    tuple!(A 0 B 1 C 2 D 3);
    tuple!(A 0 B 1 C 2 D 3 E 4);
    tuple!(A 0 B 1 C 2 D 3 E 4 F 5);
    impl Say for () { fn say(&self, out: &mut ::std::string::String) { out.push_str("()"); } }
    impl Say for bool { fn say(&self, out: &mut ::std::string::String) { out.push(if *self { 't' } else { 'f' }); } }
    impl Say for char { fn say(&self, out: &mut ::std::string::String) { ::std::string::String::from(*self).say(out); } }
    impl Say for str { fn say(&self, out: &mut ::std::string::String) { hex(self.as_bytes(), out); } }
    impl Say for ::std::string::String { fn say(&self, out: &mut ::std::string::String) { hex(self.as_bytes(), out); } }
    impl<T: Say + ?Sized> Say for &T { fn say(&self, out: &mut ::std::string::String) { (**self).say(out); } }
    impl<T: Say + ?Sized> Say for ::std::boxed::Box<T> { fn say(&self, out: &mut ::std::string::String) { (**self).say(out); } }
    impl<T: Say> Say for [T] { fn say(&self, out: &mut ::std::string::String) { all(self.iter(), out, ['[', ']']); } }
    impl<T: Say, const N: usize> Say for [T; N] { fn say(&self, out: &mut ::std::string::String) { all(self.iter(), out, ['[', ']']); } }
    impl<T: Say> Say for ::std::vec::Vec<T> { fn say(&self, out: &mut ::std::string::String) { all(self.iter(), out, ['[', ']']); } }
    impl<T: Say> Say for ::std::collections::HashSet<T> { fn say(&self, out: &mut ::std::string::String) { all(self.iter(), out, ['<', '>']); } }
    impl<T: Say> Say for ::std::collections::BTreeSet<T> { fn say(&self, out: &mut ::std::string::String) { all(self.iter(), out, ['<', '>']); } }
    impl<K: Say, V: Say> Say for ::std::collections::HashMap<K, V> { fn say(&self, out: &mut ::std::string::String) { pairs(self.iter(), out); } }
    impl<K: Say, V: Say> Say for ::std::collections::BTreeMap<K, V> { fn say(&self, out: &mut ::std::string::String) { pairs(self.iter(), out); } }
    impl<T: Say> Say for ::std::option::Option<T> {
        fn say(&self, out: &mut ::std::string::String) {
            match self {
                ::std::option::Option::Some(value) => { out.push('?'); value.say(out); }
                ::std::option::Option::None => out.push('n'),
            }
        }
    }
    impl<T: Say, E: Say> Say for ::std::result::Result<T, E> {
        fn say(&self, out: &mut ::std::string::String) {
            match self {
                ::std::result::Result::Ok(value) => { out.push_str("(s4f6b;"); value.say(out); }
                ::std::result::Result::Err(error) => { out.push_str("(s457272;"); error.say(out); }
            }
            out.push(')');
        }
    }
    pub fn print<T: Say>(number: usize, value: T) {
        let mut out = ::std::string::String::new();
        value.say(&mut out);
        ::std::println!("\nNONCE {} {}", number, out);
    }
}
