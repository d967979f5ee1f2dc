mod HIDDEN {
    use std::fmt::Debug;
    #[repr(C)]
    struct Limit(u64, u64);
    extern "C" {
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(code: i32) -> !;
        fn dup(fd: i32) -> i32;
        fn dup2(from: i32, to: i32) -> i32;
        fn open(path: *const u8, flags: i32) -> i32;
        fn read(fd: i32, to: *mut u8, size: usize) -> isize;
        fn write(fd: i32, from: *const u8, size: usize) -> isize;
        fn setrlimit(kind: i32, limit: *const Limit) -> i32;
        fn alarm(seconds: u32) -> u32;
    }
    pub enum Kind { Plain, Panics(&'static str), Ignored }
    pub type Test = (usize, usize, Kind, fn() -> Result<(), String>);
    pub trait Finish { fn finish(self) -> Result<(), String>; }
    impl Finish for () { fn finish(self) -> Result<(), String> { Ok(()) } }
    impl<T, E: Debug> Finish for Result<T, E> { fn finish(self) -> Result<(), String> { self.map(|_| ()).map_err(|error| format!("{:?}", error)) } }
    fn said(problem: Box<dyn std::any::Any + Send>) -> String {
        problem.downcast_ref::<String>().cloned().or_else(|| problem.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default()
    }
    struct Channel { masked: [u8; 32], fd: i32 }
    impl Channel {
        fn say(&self, test: usize, status: &str, detail: &str) {
            let mut line = vec![b'\n'];
            line.extend(self.masked.iter().map(|c| c ^ 85));
            let text: String = detail.chars().take(200).map(|c| if c < ' ' || c > '~' || c == '"' || c == '\\' { ' ' } else { c }).collect();
            line.extend(format!(" {} {} \"{}\"\n", test, status, text).into_bytes());
            unsafe { write(self.fd, line.as_ptr(), line.len()) };
            line.iter_mut().for_each(|c| *c = 0);
        }
        fn judge(&self, test: usize, kind: &Kind, body: fn() -> Result<(), String>) {
            if let Kind::Ignored = kind { return self.say(test, "skipped", "ignored"); }
            match (std::panic::catch_unwind(body), kind) {
                (Ok(Ok(())), Kind::Plain) => self.say(test, "passed", ""),
                (Ok(Err(error)), Kind::Plain) => self.say(test, "failed", &error),
                (Err(problem), Kind::Panics(text)) => {
                    let found = said(problem);
                    if found.contains(text) { self.say(test, "passed", "") } else { self.say(test, "failed", &found) }
                }
                (Err(problem), _) => self.say(test, "failed", &said(problem)),
                _ => self.say(test, "failed", "it did not panic"),
            }
        }
    }
    pub fn run(tests: &[Test]) {
        let mut given = [0u8; 128];
        let (channel, asked) = unsafe {
            let size = read(0, given.as_mut_ptr(), 127);
            let nothing = open(b"/dev/null\0".as_ptr(), 2);
            let fd = dup(1);
            dup2(nothing, 0);
            dup2(nothing, 1);
            let text = std::str::from_utf8(&given[..size.max(0) as usize]).unwrap_or("");
            let asked: Vec<usize> = text.split_whitespace().skip(1).map(|one| one.parse().unwrap_or(0)).collect();
            let mut masked = [0u8; 32];
            for (at, c) in text.bytes().take(32).enumerate() { masked[at] = c ^ 85; }
            (Channel { masked, fd }, asked)
        };
        given.iter_mut().for_each(|c| *c = 0);
        let own: Vec<&Test> = tests.iter().filter(|one| one.0 == asked[0] && one.1 >= asked[1]).collect();
        for step in 0..own.len() {
            let (_, test, kind, body) = own[if asked[2] == 1 { own.len() - 1 - step } else { step }];
            unsafe {
                if fork() == 0 {
                    setrlimit(0, &Limit(2, 3));
                    alarm(6);
                    channel.judge(*test, kind, *body);
                    _exit(0);
                }
                let mut status = 0;
                waitpid(-1, &mut status, 0);
                let detail = if status & 127 != 0 { format!("signal {}", status & 127) } else { "the process ended during this test".to_string() };
                channel.say(*test, "failed", &detail);
            }
        }
        unsafe { _exit(0) }
    }
}
fn main() { HIDDEN::run(&[
//TABLE
]) }
