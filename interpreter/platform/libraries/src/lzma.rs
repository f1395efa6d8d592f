//! liblzma: streams, filter chains and filter properties. Result codes are the library's numbers.
use std::ffi::c_void;
use std::mem::zeroed;

use liblzma_sys as l;
pub use liblzma_sys::{
    LZMA_BUF_ERROR, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_NONE, LZMA_CHECK_SHA256, LZMA_DATA_ERROR,
    LZMA_FILTER_ARM, LZMA_FILTER_ARMTHUMB, LZMA_FILTER_DELTA, LZMA_FILTER_IA64, LZMA_FILTER_LZMA1, LZMA_FILTER_LZMA2,
    LZMA_FILTER_POWERPC, LZMA_FILTER_SPARC, LZMA_FILTER_X86, LZMA_FINISH, LZMA_FORMAT_ERROR, LZMA_GET_CHECK,
    LZMA_MEM_ERROR, LZMA_MEMLIMIT_ERROR, LZMA_MF_BT2, LZMA_MF_BT3, LZMA_MF_BT4, LZMA_MF_HC3, LZMA_MF_HC4,
    LZMA_MODE_FAST, LZMA_MODE_NORMAL, LZMA_NO_CHECK, LZMA_OK, LZMA_OPTIONS_ERROR, LZMA_PRESET_DEFAULT,
    LZMA_PRESET_EXTREME, LZMA_PROG_ERROR, LZMA_RUN, LZMA_STREAM_END, LZMA_TELL_ANY_CHECK, LZMA_TELL_NO_CHECK,
    LZMA_UNSUPPORTED_CHECK,
};

pub const FILTERS_MAX: usize = 4;
const UNKNOWN: u64 = u64::MAX;

/// Settings of an LZMA filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct LzmaOptions {
    pub dict_size: u32,
    pub lc: u32,
    pub lp: u32,
    pub pb: u32,
    pub mode: u32,
    pub nice_len: u32,
    pub mf: u32,
    pub depth: u32,
}
impl LzmaOptions {
    /// The settings of a preset; `None` for a number that is none.
    pub fn preset(preset: u32) -> Option<LzmaOptions> {
        // SAFETY: plain data, for which zeros are valid; the call fills it.
        let (refused, o) = unsafe {
            let mut o: l::lzma_options_lzma = zeroed();
            (l::lzma_lzma_preset(&mut o, preset), o)
        };
        (refused == 0).then_some(LzmaOptions {
            dict_size: o.dict_size,
            lc: o.lc,
            lp: o.lp,
            pb: o.pb,
            mode: o.mode,
            nice_len: o.nice_len,
            mf: o.mf,
            depth: o.depth,
        })
    }
    fn raw(&self) -> l::lzma_options_lzma {
        // SAFETY: plain data, for which zeros are valid.
        let mut o: l::lzma_options_lzma = unsafe { zeroed() };
        (o.dict_size, o.lc, o.lp, o.pb) = (self.dict_size, self.lc, self.lp, self.pb);
        (o.mode, o.nice_len, o.mf, o.depth) = (self.mode, self.nice_len, self.mf, self.depth);
        o
    }
}
#[derive(Clone, Copy, Debug)]
pub enum Options {
    Lzma(LzmaOptions),
    /// The distance.
    Delta(u32),
    /// Where a branch filter starts; `None` = no options at all.
    Branch(Option<u32>),
}
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    pub id: u64,
    pub options: Options,
}

/// `lzma_options_delta`, which the binding leaves out.
#[repr(C)]
struct DeltaOptions {
    kind: u32,
    dist: u32,
    reserved_ints: [u32; 4],
    reserved_pointers: [*mut c_void; 2],
}
enum RawOptions {
    Lzma(Box<l::lzma_options_lzma>),
    Delta(Box<DeltaOptions>),
    Branch(Option<Box<l::lzma_options_bcj>>),
}
/// A filter chain in the library's form, with the options that it points to.
struct Chain {
    filters: Vec<l::lzma_filter>,
    _options: Vec<RawOptions>,
}
impl Chain {
    fn new(filters: &[Filter]) -> Chain {
        let mut options: Vec<RawOptions> = filters
            .iter()
            .map(|f| match f.options {
                Options::Lzma(o) => RawOptions::Lzma(Box::new(o.raw())),
                Options::Delta(dist) => RawOptions::Delta(Box::new(DeltaOptions {
                    kind: 0,
                    dist,
                    reserved_ints: [0; 4],
                    reserved_pointers: [std::ptr::null_mut(); 2],
                })),
                Options::Branch(start) => {
                    RawOptions::Branch(start.map(|start_offset| Box::new(l::lzma_options_bcj { start_offset })))
                }
            })
            .collect();
        let mut raw: Vec<l::lzma_filter> = filters
            .iter()
            .zip(&mut options)
            .map(|(f, o)| l::lzma_filter {
                id: f.id,
                options: match o {
                    RawOptions::Lzma(o) => std::ptr::from_mut(&mut **o).cast(),
                    RawOptions::Delta(o) => std::ptr::from_mut(&mut **o).cast(),
                    RawOptions::Branch(Some(o)) => std::ptr::from_mut(&mut **o).cast(),
                    RawOptions::Branch(None) => std::ptr::null_mut(),
                },
            })
            .collect();
        raw.push(l::lzma_filter { id: UNKNOWN, options: std::ptr::null_mut() });
        Chain { filters: raw, _options: options }
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub code: u32,
    pub read: usize,
    pub written: usize,
}
pub struct Stream(Box<l::lzma_stream>);
// SAFETY: the stream owns what it points to; between calls it holds no pointer to foreign memory.
unsafe impl Send for Stream {}

impl Stream {
    fn make(init: impl FnOnce(&mut l::lzma_stream) -> u32) -> Result<Stream, u32> {
        // SAFETY: LZMA_STREAM_INIT is all zeros.
        let mut raw: Box<l::lzma_stream> = Box::new(unsafe { zeroed() });
        let code = init(&mut raw);
        let stream = Stream(raw);
        if code == LZMA_OK { Ok(stream) } else { Err(code) }
    }
    pub fn easy_encoder(preset: u32, check: u32) -> Result<Stream, u32> {
        // SAFETY: a fresh stream.
        Stream::make(|s| unsafe { l::lzma_easy_encoder(s, preset, check) })
    }
    pub fn stream_encoder(filters: &[Filter], check: u32) -> Result<Stream, u32> {
        let chain = Chain::new(filters);
        // SAFETY: a fresh stream and a terminated chain, which the library copies.
        Stream::make(|s| unsafe { l::lzma_stream_encoder(s, chain.filters.as_ptr(), check) })
    }
    pub fn alone_encoder(options: &LzmaOptions) -> Result<Stream, u32> {
        let options = options.raw();
        // SAFETY: a fresh stream; the library copies the options.
        Stream::make(|s| unsafe { l::lzma_alone_encoder(s, &options) })
    }
    pub fn raw_encoder(filters: &[Filter]) -> Result<Stream, u32> {
        let chain = Chain::new(filters);
        // SAFETY: as in `stream_encoder`.
        Stream::make(|s| unsafe { l::lzma_raw_encoder(s, chain.filters.as_ptr()) })
    }
    pub fn auto_decoder(memlimit: u64, flags: u32) -> Result<Stream, u32> {
        // SAFETY: a fresh stream.
        Stream::make(|s| unsafe { l::lzma_auto_decoder(s, memlimit, flags) })
    }
    pub fn stream_decoder(memlimit: u64, flags: u32) -> Result<Stream, u32> {
        // SAFETY: a fresh stream.
        Stream::make(|s| unsafe { l::lzma_stream_decoder(s, memlimit, flags) })
    }
    pub fn alone_decoder(memlimit: u64) -> Result<Stream, u32> {
        // SAFETY: a fresh stream.
        Stream::make(|s| unsafe { l::lzma_alone_decoder(s, memlimit) })
    }
    pub fn raw_decoder(filters: &[Filter]) -> Result<Stream, u32> {
        let chain = Chain::new(filters);
        // SAFETY: as in `stream_encoder`.
        Stream::make(|s| unsafe { l::lzma_raw_decoder(s, chain.filters.as_ptr()) })
    }
    /// Takes input and gives output, as much as fits.
    pub fn step(&mut self, input: &[u8], output: &mut [u8], action: u32) -> Step {
        let s = &mut *self.0;
        (s.next_in, s.avail_in) = (input.as_ptr(), input.len());
        (s.next_out, s.avail_out) = (output.as_mut_ptr(), output.len());
        // SAFETY: an initialised stream that points to live slices for the time of the call.
        let code = unsafe { l::lzma_code(s, action) };
        let step = Step { code, read: input.len() - s.avail_in, written: output.len() - s.avail_out };
        (s.next_in, s.avail_in) = (std::ptr::null(), 0);
        (s.next_out, s.avail_out) = (std::ptr::null_mut(), 0);
        step
    }
    /// The integrity check of the data, after the code that tells that it is known.
    pub fn check(&self) -> u32 {
        // SAFETY: an initialised stream.
        unsafe { l::lzma_get_check(&*self.0) }
    }
}
impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: initialised or all zeros, ended once.
        unsafe { l::lzma_end(&mut *self.0) };
    }
}

pub fn is_check_supported(check: u32) -> bool {
    // SAFETY: plain numbers.
    unsafe { l::lzma_check_is_supported(check) != 0 }
}
/// The properties of a filter, as formats store them.
pub fn encode_properties(filter: &Filter) -> Result<Vec<u8>, u32> {
    let chain = Chain::new(std::slice::from_ref(filter));
    let mut size = 0;
    // SAFETY: a valid filter; the buffer has the size that the library asked for.
    unsafe {
        match l::lzma_properties_size(&mut size, chain.filters.as_ptr()) {
            LZMA_OK => {}
            code => return Err(code),
        }
        let mut out = vec![0u8; size as usize];
        match l::lzma_properties_encode(chain.filters.as_ptr(), out.as_mut_ptr()) {
            LZMA_OK => Ok(out),
            code => Err(code),
        }
    }
}
/// The filter that stored properties describe. Properties give the dictionary size of LZMA filters, and for LZMA1 `lc`,
/// `lp` and `pb`.
pub fn decode_properties(id: u64, properties: &[u8]) -> Result<Filter, u32> {
    let end = l::lzma_filter { id: UNKNOWN, options: std::ptr::null_mut() };
    let mut raw = [l::lzma_filter { id, options: std::ptr::null_mut() }, end];
    // SAFETY: the library allocates the options of the filter's kind, which are read as that kind and given back.
    unsafe {
        let code = l::lzma_properties_decode(&mut raw[0], std::ptr::null(), properties.as_ptr(), properties.len());
        if code != LZMA_OK {
            return Err(code);
        }
        let given = raw[0].options;
        let options = match id {
            LZMA_FILTER_LZMA1 | LZMA_FILTER_LZMA2 => {
                let o = given.cast::<l::lzma_options_lzma>().as_ref().ok_or(LZMA_PROG_ERROR)?;
                let (dict_size, lc, lp, pb) = (o.dict_size, o.lc, o.lp, o.pb);
                Options::Lzma(LzmaOptions { dict_size, lc, lp, pb, ..LzmaOptions::default() })
            }
            LZMA_FILTER_DELTA => Options::Delta(given.cast::<DeltaOptions>().as_ref().ok_or(LZMA_PROG_ERROR)?.dist),
            _ => Options::Branch(given.cast::<l::lzma_options_bcj>().as_ref().map(|o| o.start_offset)),
        };
        l::lzma_filters_free(raw.as_mut_ptr(), std::ptr::null());
        Ok(Filter { id, options })
    }
}
