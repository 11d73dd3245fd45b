use super::*;
use crate::sha256::Kernel;

fn searcher(threads: usize, choice: KernelChoice) -> Searcher {
    Searcher::new(NonZeroUsize::new(threads).unwrap(), choice).unwrap()
}

fn find(threads: usize, template: &Template, bits: u16, range: NonceRange) -> Option<u64> {
    searcher(threads, KernelChoice::Measured)
        .find(
            template,
            Target::from_bits(bits).unwrap(),
            range,
            &Control::new(),
        )
        .unwrap()
        .hit
        .map(|hit| hit.nonce.0)
}

#[test]
fn every_kernel_and_thread_count_finds_the_known_proofs() {
    let kernels = Kernel::available().into_iter().map(KernelChoice::Kernel);
    for choice in kernels.chain([KernelChoice::Measured]) {
        for threads in [1, 2, 3, 7] {
            let searcher = searcher(threads, choice);
            let mut last = 100;
            for expected in [35293, 35089, 119678, 146502, 43538] {
                let template = Template::new(last.to_string(), "");
                let outcome = searcher
                    .find(
                        &template,
                        Target::FOUR_ZEROS,
                        NonceRange::ALL,
                        &Control::new(),
                    )
                    .unwrap();
                assert_eq!(outcome.hit.unwrap().nonce, Nonce(expected));
                assert!(outcome.hashes > expected);
                last = expected;
            }
        }
    }
}

#[test]
fn one_thread_tries_no_nonce_above_the_hit() {
    let outcome = searcher(1, "portable".parse().unwrap())
        .find(
            &Template::new("100", ""),
            Target::FOUR_ZEROS,
            NonceRange::ALL,
            &Control::new(),
        )
        .unwrap();
    assert_eq!(outcome.hashes, 35294);
}

#[test]
fn a_range_may_have_no_hit() {
    for threads in [1, 3] {
        let range = NonceRange::new(Nonce(0), Nonce(35293));
        assert_eq!(find(threads, &Template::new("100", ""), 16, range), None);
        let range = NonceRange::new(Nonce(0), Nonce(35294));
        assert_eq!(
            find(threads, &Template::new("100", ""), 16, range),
            Some(35293)
        );
        let empty = NonceRange::new(Nonce(5), Nonce(5));
        assert_eq!(find(threads, &Template::new("100", ""), 1, empty), None);
    }
}

#[test]
fn the_largest_nonce_can_be_the_hit() {
    // The first suffix that makes u64::MAX a hit at eight bits.
    let suffix = (0..)
        .map(|n: u32| n.to_string())
        .find(|suffix| {
            let digest = Template::new("", suffix.as_str()).digest(Nonce(u64::MAX));
            Target::from_bits(8).unwrap().is_met_by(&digest)
        })
        .unwrap();
    let range = NonceRange::starting_at(Nonce(u64::MAX));
    for threads in [1, 2] {
        let template = Template::new("", suffix.as_str());
        assert_eq!(find(threads, &template, 8, range), Some(u64::MAX));
    }
    assert_eq!(find(2, &Template::new("", "no"), 250, range), None);
}

#[test]
fn a_cancelled_search_has_no_result() {
    for threads in [1, 2] {
        let control = Control::new();
        control.cancel();
        let result = searcher(threads, KernelChoice::Measured).find(
            &Template::new("", ""),
            Target::from_bits(256).unwrap(),
            NonceRange::ALL,
            &control,
        );
        assert!(matches!(result, Err(SearchError::Cancelled { .. })));
    }
}

#[test]
fn pieces_follow_the_difficulty_and_the_threads() {
    let size = |suffix: usize, bits, threads| {
        let template = Template::new("35293", "e".repeat(suffix));
        let target = Target::from_bits(bits).unwrap();
        let threads = NonZeroUsize::new(threads).unwrap();
        piece_size(
            &template,
            target,
            NonceRange::ALL,
            threads,
            KernelChoice::Measured,
        )
    };
    // Four zeros: more threads wait for the last piece.
    let by_threads = [2, 16, 64, 256].map(|threads| size(0, 16, threads));
    assert_eq!(by_threads, [1_000, 500, 200, 100]);
    assert_eq!(size(64, 16, 2), 1_000);
    // Three zeros, and eight.
    assert_eq!([size(0, 12, 2), size(0, 32, 2)], [200, 50_000]);
    // One thread, and messages of two and of many blocks.
    assert_eq!([size(0, 16, 1), size(64, 16, 1)], [50_000, 50_000]);
    assert_eq!([size(6_000, 32, 2), size(6_000_000, 32, 2)], [1_000, 1]);
}

#[test]
fn pieces_follow_the_range_and_the_prefix() {
    let never = Target::from_bits(256).unwrap();
    let size = |nonces: u64, threads, prefix: usize, kernel: &str| {
        let range = NonceRange::new(Nonce(7), Nonce(7 + nonces));
        let threads = NonZeroUsize::new(threads).unwrap();
        let kernel = kernel.parse().unwrap();
        piece_size(
            &Template::new("p".repeat(prefix), ""),
            never,
            range,
            threads,
            kernel,
        )
    };
    // All threads share a short range, down to one nonce each.
    assert_eq!(
        [100_000, 8_000, 3].map(|nonces| size(nonces, 4, 9, "portable")),
        [5_000, 500, 1]
    );
    assert_eq!(size(8_000, 1, 9, "portable"), 50_000);
    // `sha2` hashes the prefix for each nonce.
    assert_eq!(
        ["portable", "sha2"].map(|kernel| size(1 << 40, 2, 6_000, kernel)),
        [50_000, 1_000]
    );
}

#[test]
fn find_any_returns_some_hit() {
    for threads in [1, 2, 5] {
        let target = Target::from_bits(8).unwrap();
        let template = Template::new("100", "");
        let outcome = searcher(threads, KernelChoice::Measured)
            .find_any(&template, target, NonceRange::ALL, &Control::new())
            .unwrap();
        assert!(target.is_met_by(&template.digest(outcome.hit.unwrap().nonce)));
        let none = NonceRange::new(Nonce(0), Nonce(35293));
        let outcome = searcher(threads, KernelChoice::Measured)
            .find_any(&template, Target::FOUR_ZEROS, none, &Control::new())
            .unwrap();
        assert_eq!(outcome.hit, None);
    }
}

#[test]
fn a_cancelled_search_can_continue_where_it_stopped() {
    // Each search is cancelled as soon as it has tried something.
    let template = Template::new("100", "");
    let expected = find(1, &template, 22, NonceRange::ALL).unwrap();
    let searcher = searcher(2, KernelChoice::Measured);
    let mut start = Nonce(0);
    let found = loop {
        let control = Control::new();
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while control.hashes() == 0 {
                    std::thread::yield_now();
                }
                control.cancel();
            });
            let range = NonceRange::starting_at(start);
            searcher.find(&template, Target::from_bits(22).unwrap(), range, &control)
        });
        match result {
            Ok(outcome) => break outcome.hit.unwrap().nonce,
            Err(SearchError::Cancelled { next }) => {
                assert!(next > start);
                start = next;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(found, Nonce(expected));
}

#[test]
fn an_endless_search_can_be_cancelled_from_another_thread() {
    let control = Control::new();
    let watcher = control.clone();
    let canceller = std::thread::spawn(move || {
        while watcher.hashes() == 0 {
            std::thread::yield_now();
        }
        watcher.cancel();
    });
    let result = searcher(2, KernelChoice::Measured).find(
        &Template::new("", ""),
        Target::from_bits(256).unwrap(),
        NonceRange::ALL,
        &control,
    );
    canceller.join().unwrap();
    assert!(matches!(result, Err(SearchError::Cancelled { .. })));
}
