//! The hash algorithms behind one trait, and the table of those that have a fixed set of parameters.
use digest::{Digest, ExtendableOutput, Update, XofReader};

/// A running hash.
pub trait Algorithm: Send {
    fn update(&mut self, data: &[u8]);
    /// The digest of what was given so far. `out` has the digest's size; extendable algorithms fill any size.
    fn finish(&self, out: &mut [u8]);
    fn copy(&self) -> Box<dyn Algorithm>;
}

#[derive(Clone)]
struct Fixed<D>(D);
impl<D: Digest + Clone + Send + 'static> Algorithm for Fixed<D> {
    fn update(&mut self, data: &[u8]) {
        Digest::update(&mut self.0, data);
    }
    fn finish(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.0.clone().finalize());
    }
    fn copy(&self) -> Box<dyn Algorithm> {
        Box::new(Fixed(self.0.clone()))
    }
}
#[derive(Clone)]
struct Extendable<D>(D);
impl<D: Update + ExtendableOutput + Clone + Send + 'static> Algorithm for Extendable<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
    fn finish(&self, out: &mut [u8]) {
        self.0.clone().finalize_xof().read(out);
    }
    fn copy(&self) -> Box<dyn Algorithm> {
        Box::new(Extendable(self.0.clone()))
    }
}
macro_rules! blake {
    ($($name:ident)*) => { $(
        impl Algorithm for $name::State {
            fn update(&mut self, data: &[u8]) {
                $name::State::update(self, data);
            }
            fn finish(&self, out: &mut [u8]) {
                out.copy_from_slice(self.finalize().as_bytes());
            }
            fn copy(&self) -> Box<dyn Algorithm> {
                Box::new(self.clone())
            }
        }
    )* };
}
blake! { blake2b_simd blake2s_simd }

/// MD5 and SHA-1 side by side, as TLS 1.0 signs.
#[derive(Clone)]
struct Md5Sha1(md5::Md5, sha1::Sha1);
impl Algorithm for Md5Sha1 {
    fn update(&mut self, data: &[u8]) {
        Digest::update(&mut self.0, data);
        Digest::update(&mut self.1, data);
    }
    fn finish(&self, out: &mut [u8]) {
        let (first, second) = out.split_at_mut(16);
        first.copy_from_slice(&self.0.clone().finalize());
        second.copy_from_slice(&self.1.clone().finalize());
    }
    fn copy(&self) -> Box<dyn Algorithm> {
        Box::new(self.clone())
    }
}

/// What is known of an algorithm.
pub struct Spec {
    /// `hashlib`'s name.
    pub name: &'static str,
    /// Other names that OpenSSL knows, in lower case.
    pub aliases: &'static [&'static str],
    pub digest_size: usize,
    pub block_size: usize,
    /// The digest has any length.
    pub extendable: bool,
    pub start: fn() -> Box<dyn Algorithm>,
}
macro_rules! specs {
    ($($id:ident $name:literal $aliases:expr, $digest:literal $block:literal $extendable:literal $start:expr;)*) => {
        $(pub static $id: Spec = Spec {
            name: $name,
            aliases: &$aliases,
            digest_size: $digest,
            block_size: $block,
            extendable: $extendable,
            start: || Box::new($start),
        };)*
        pub static ALL: &[&Spec] = &[$(&$id),*];
    };
}
specs! {
    MD5 "md5" ["ssl3-md5"], 16 64 false Fixed(md5::Md5::new());
    SHA1 "sha1" ["sha-1", "ssl3-sha1"], 20 64 false Fixed(sha1::Sha1::new());
    SHA224 "sha224" ["sha2-224", "sha-224"], 28 64 false Fixed(sha2::Sha224::new());
    SHA256 "sha256" ["sha2-256", "sha-256"], 32 64 false Fixed(sha2::Sha256::new());
    SHA384 "sha384" ["sha2-384", "sha-384"], 48 128 false Fixed(sha2::Sha384::new());
    SHA512 "sha512" ["sha2-512", "sha-512"], 64 128 false Fixed(sha2::Sha512::new());
    SHA512_224 "sha512_224" ["sha512-224", "sha2-512/224", "sha-512/224"], 28 128 false Fixed(sha2::Sha512_224::new());
    SHA512_256 "sha512_256" ["sha512-256", "sha2-512/256", "sha-512/256"], 32 128 false Fixed(sha2::Sha512_256::new());
    SHA3_224 "sha3_224" ["sha3-224"], 28 144 false Fixed(sha3::Sha3_224::new());
    SHA3_256 "sha3_256" ["sha3-256"], 32 136 false Fixed(sha3::Sha3_256::new());
    SHA3_384 "sha3_384" ["sha3-384"], 48 104 false Fixed(sha3::Sha3_384::new());
    SHA3_512 "sha3_512" ["sha3-512"], 64 72 false Fixed(sha3::Sha3_512::new());
    SHAKE_128 "shake_128" ["shake128", "shake-128"], 0 168 true Extendable(sha3::Shake128::default());
    SHAKE_256 "shake_256" ["shake256", "shake-256"], 0 136 true Extendable(sha3::Shake256::default());
    BLAKE2B "blake2b" ["blake2b512", "blake2b-512"], 64 128 false blake2b_simd::State::new();
    BLAKE2S "blake2s" ["blake2s256", "blake2s-256"], 32 64 false blake2s_simd::State::new();
    RIPEMD160 "ripemd160" ["ripemd-160", "ripemd", "rmd160"], 20 64 false Fixed(ripemd::Ripemd160::new());
    SM3 "sm3" [], 32 64 false Fixed(sm3::Sm3::new());
    MD5_SHA1 "md5-sha1" [], 36 64 false Md5Sha1(md5::Md5::new(), sha1::Sha1::new());
}
impl Spec {
    /// The algorithm that a name means, in any case.
    pub fn find(name: &str) -> Option<&'static Spec> {
        let name = name.to_ascii_lowercase();
        ALL.iter().copied().find(|s| s.name == name || s.aliases.contains(&&*name))
    }
    pub fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut h = (self.start)();
        parts.iter().for_each(|p| h.update(p));
        let mut out = vec![0; self.digest_size];
        h.finish(&mut out);
        out
    }
}

/// A running HMAC (RFC 2104).
pub struct Hmac {
    pub spec: &'static Spec,
    inner: Box<dyn Algorithm>,
    outer: Box<dyn Algorithm>,
}
impl Hmac {
    pub fn new(spec: &'static Spec, key: &[u8]) -> Hmac {
        let mut block = if key.len() > spec.block_size { spec.hash(&[key]) } else { key.to_vec() };
        block.resize(spec.block_size, 0);
        let start = |pad: u8| {
            let mut h = (spec.start)();
            h.update(&block.iter().map(|b| b ^ pad).collect::<Vec<u8>>());
            h
        };
        Hmac { spec, inner: start(0x36), outer: start(0x5C) }
    }
    pub fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }
    pub fn copy(&self) -> Hmac {
        Hmac { spec: self.spec, inner: self.inner.copy(), outer: self.outer.copy() }
    }
    pub fn finish(&self) -> Vec<u8> {
        let mut out = vec![0; self.spec.digest_size];
        self.inner.finish(&mut out);
        let mut outer = self.outer.copy();
        outer.update(&out);
        outer.finish(&mut out);
        out
    }
}
/// PBKDF2 with HMAC (RFC 8018).
pub fn pbkdf2(spec: &'static Spec, password: &[u8], salt: &[u8], rounds: u64, out: &mut [u8]) {
    let start = Hmac::new(spec, password);
    for (i, chunk) in out.chunks_mut(spec.digest_size).enumerate() {
        let mut h = start.copy();
        h.update(salt);
        h.update(&(i as u32 + 1).to_be_bytes());
        let mut turn = h.finish();
        let mut sum = turn.clone();
        for _ in 1..rounds {
            let mut h = start.copy();
            h.update(&turn);
            turn = h.finish();
            sum.iter_mut().zip(&turn).for_each(|(s, t)| *s ^= t);
        }
        chunk.copy_from_slice(&sum[..chunk.len()]);
    }
}
