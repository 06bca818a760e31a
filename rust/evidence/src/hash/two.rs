//! The compression function of SHA-256 (FIPS 180-4, 6.2.2) over two messages at a time.
//!
//! A processor's SHA instructions wait for their own results: one message keeps them busy half of
//! the time. Two that have nothing to do with each other fill it. Where the processor has no such
//! instructions, each message goes through the library's function.
//!
//! The only module of this crate with `unsafe` code: the one call of a function that needs
//! instructions which the processor was just asked for. No pointer is read or written.

#![allow(unsafe_code, reason = "a function with target features can be called in no other way")]

use sha2::block_api::compress256;

use super::{BLOCK, State};

/// Takes as many blocks into each state as the shorter run has.
pub(super) fn compress_two(states: &mut [State; 2], runs: [&[[u8; BLOCK]]; 2]) {
    let count = runs[0].len().min(runs[1].len());
    let runs = runs.map(|run| &run[..count]);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") {
        // SAFETY: the processor has what `interleaved` is compiled for; ssse3 is part of sse4.1.
        return unsafe { x86::interleaved(states, runs) };
    }
    for (state, run) in states.iter_mut().zip(runs) {
        compress256(state, run);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
        _mm_shuffle_epi32,
    };

    use super::{BLOCK, State};

    /// A state as the instructions want it.
    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn interleaved(states: &mut [State; 2], runs: [&[[u8; BLOCK]]; 2]) {
        let mut lanes = [load(&states[0]), load(&states[1])];
        for (first, second) in runs[0].iter().zip(runs[1]) {
            let before = lanes;
            let mut words = [message(first), message(second)];
            // Sixteen rounds at a time, so that the words stay in registers.
            let (keys, _) = KEYS.as_chunks::<4>();
            for keys in &keys[..3] {
                rounds::<0, true>(&mut lanes, &mut words, keys);
                rounds::<1, true>(&mut lanes, &mut words, keys);
                rounds::<2, true>(&mut lanes, &mut words, keys);
                rounds::<3, true>(&mut lanes, &mut words, keys);
            }
            rounds::<0, false>(&mut lanes, &mut words, &keys[3]);
            rounds::<1, false>(&mut lanes, &mut words, &keys[3]);
            rounds::<2, false>(&mut lanes, &mut words, &keys[3]);
            rounds::<3, false>(&mut lanes, &mut words, &keys[3]);
            for (lane, before) in lanes.iter_mut().zip(before) {
                lane.abef = _mm_add_epi32(lane.abef, before.abef);
                lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
            }
        }
        *states = [store(lanes[0]), store(lanes[1])];
    }

    /// Four rounds of both; where `MORE` follow, their words give way to those of 16 rounds later.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn rounds<const AT: usize, const MORE: bool>(
        lanes: &mut [Lane; 2],
        words: &mut [[__m128i; 4]; 2],
        keys: &[[u32; 4]; 4],
    ) {
        let [k0, k1, k2, k3] = keys[AT].map(u32::cast_signed);
        let k = _mm_set_epi32(k3, k2, k1, k0);
        for (lane, words) in lanes.iter_mut().zip(words) {
            let [w0, w1, w2, w3] = [0, 1, 2, 3].map(|ahead| words[(AT + ahead) % 4]);
            let wk = _mm_add_epi32(w0, k);
            // Two rounds make the next ABEF; the ABEF before them is the next CDGH.
            lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, wk);
            lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32::<0x0E>(wk));
            if MORE {
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
                words[AT] = _mm_sha256msg2_epu32(sum, w3);
            }
        }
    }

    /// The 16 words of a block.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn message(block: &[u8; BLOCK]) -> [__m128i; 4] {
        let swap = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);
        let (halves, _) = block.as_chunks::<8>();
        let half = |at: usize| i64::from_le_bytes(halves[at]);
        [0, 2, 4, 6].map(|at| _mm_shuffle_epi8(_mm_set_epi64x(half(at + 1), half(at)), swap))
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[allow(clippy::many_single_char_names, reason = "the names of FIPS 180-4")]
    fn load(state: &State) -> Lane {
        let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
        Lane { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn store(lane: Lane) -> State {
        let Lane { abef, cdgh } = lane;
        [
            _mm_extract_epi32::<3>(abef),
            _mm_extract_epi32::<2>(abef),
            _mm_extract_epi32::<3>(cdgh),
            _mm_extract_epi32::<2>(cdgh),
            _mm_extract_epi32::<1>(abef),
            _mm_extract_epi32::<0>(abef),
            _mm_extract_epi32::<1>(cdgh),
            _mm_extract_epi32::<0>(cdgh),
        ]
        .map(i32::cast_unsigned)
    }

    /// The constants of FIPS 180-4, 4.2.2, four rounds a row.
    const KEYS: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];
}
