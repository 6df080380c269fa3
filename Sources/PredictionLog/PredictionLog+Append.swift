internal import Dispatch
internal import Synchronization
internal import Vocabulary

extension PredictionLog {
    /// Hands a record over, its features from where they are, without a copy of the caller's.
    ///
    /// Takes some hundred nanoseconds and never waits for the disk.
    ///
    /// - Parameters:
    ///   - features: the row, in place of `record.features`.
    ///   - courier: brings the acknowledgement; without one it is called on the log's thread.
    ///   - waking: whether the writer is woken now. Who hands over several records at once wakes it with the last one,
    ///     or by ``wakeWriter()``.
    ///   - acknowledged: called only when the answer is `waiting`.
    package func submit(
        _ record: borrowing PredictionRecord, features: UnsafeBufferPointer<Double>,
        courier: AcknowledgementCourier? = nil, waking: Bool = true, acknowledged: @escaping Acknowledgement
    ) -> Admission {
        if !isWanted(record) {
            sampledOut.add(1, ordering: .relaxed)
            return .sampledOut
        }
        guard let size = EncodedSize(record, features: features.count, most: policy.bufferBytes) else {
            return refuse(.tooLarge, 1)
        }
        var wakes = false
        let refusal = state.withLock { state -> PredictionLogError? in
            if let refusal = state.refusal(of: size.total, from: record.source) { return refusal }
            state.buffer.append(record, features: features, size)
            state.appended += 1
            if mode != .bestEffort {
                state.buffer.waiters.append(.init(acknowledged: acknowledged, courier: courier))
            }
            wakes = waking && state.writerSleeps
            if wakes { state.writerSleeps = false }
            return nil
        }
        if let refusal { return refuse(refusal, 1) }
        if wakes { wake.signal() }
        return mode == .bestEffort ? .taken : .waiting
    }

    /// Hands a record over.
    package func submit(
        _ record: borrowing PredictionRecord, courier: AcknowledgementCourier? = nil, waking: Bool = true,
        acknowledged: @escaping Acknowledgement
    ) -> Admission {
        record.features.withUnsafeBufferPointer { features in
            submit(record, features: features, courier: courier, waking: waking, acknowledged: acknowledged)
        }
    }

    /// Hands several records over, all or none, with one acknowledgement for all of them. Those that the sampling policy
    /// leaves out are left out; `sampledOut` when it leaves out all.
    package func submit(
        _ records: [PredictionRecord], courier: AcknowledgementCourier? = nil, acknowledged: @escaping Acknowledgement
    ) -> Admission {
        let wanted = policy.share >= 1 ? records : records.filter { isWanted($0) }
        sampledOut.add(records.count - wanted.count, ordering: .relaxed)
        if wanted.isEmpty { return .sampledOut }
        var sizes: [EncodedSize] = []
        sizes.reserveCapacity(wanted.count)
        let isTooLarge = wanted.withUnsafeBufferPointer { wanted in
            for index in wanted.indices {
                let count = wanted[index].features.count
                guard let size = EncodedSize(wanted[index], features: count, most: policy.bufferBytes) else {
                    return true
                }
                sizes.append(size)
            }
            return false
        }
        if isTooLarge { return refuse(.tooLarge, wanted.count) }
        let total = sizes.reduce(0) { $0 + $1.total }
        guard total <= policy.bufferBytes else { return refuse(.tooLarge, wanted.count) }
        var wakes = false
        let refusal = state.withLock { state -> PredictionLogError? in
            var last: PredictionSourceNumber?
            for record in wanted where record.source != last {
                last = record.source
                if let refusal = state.refusal(of: total, from: record.source) { return refusal }
            }
            wanted.withUnsafeBufferPointer { wanted in
                for index in wanted.indices {
                    wanted[index].features.withUnsafeBufferPointer {
                        state.buffer.append(wanted[index], features: $0, sizes[index])
                    }
                }
            }
            state.appended += wanted.count
            if mode != .bestEffort {
                state.buffer.waiters.append(.init(acknowledged: acknowledged, courier: courier))
            }
            wakes = state.writerSleeps
            state.writerSleeps = false
            return nil
        }
        if let refusal { return refuse(refusal, wanted.count) }
        if wakes { wake.signal() }
        return mode == .bestEffort ? .taken : .waiting
    }

    /// Hands the records of a block over, all or none, their features from where they are, with one acknowledgement for
    /// all of them. What the sampling policy leaves out is left out; `sampledOut` when it leaves out all.
    /// - Parameters:
    ///   - source: of all of them.
    ///   - features: those of the record at this place.
    package func submit(
        block records: [PredictionRecord], source: PredictionSourceNumber,
        features: (Int) -> UnsafeBufferPointer<Double>,
        acknowledged: @escaping Acknowledgement
    ) -> Admission {
        records.withUnsafeBufferPointer { records in
            var sizes: [(place: Int, size: EncodedSize)] = []
            sizes.reserveCapacity(records.count)
            var total = 0
            for place in records.indices where isWanted(records[place]) {
                let count = features(place).count
                guard let size = EncodedSize(records[place], features: count, most: policy.bufferBytes) else {
                    return refuse(.tooLarge, records.count)
                }
                sizes.append((place, size))
                total += size.total
            }
            sampledOut.add(records.count - sizes.count, ordering: .relaxed)
            if sizes.isEmpty { return .sampledOut }
            guard total <= policy.bufferBytes else { return refuse(.tooLarge, sizes.count) }
            var wakes = false
            let refusal = state.withLock { state -> PredictionLogError? in
                if let refusal = state.refusal(of: total, from: source) { return refusal }
                for (place, size) in sizes { state.buffer.append(records[place], features: features(place), size) }
                state.appended += sizes.count
                if mode != .bestEffort {
                    state.buffer.waiters.append(.init(acknowledged: acknowledged, courier: nil))
                }
                wakes = state.writerSleeps
                state.writerSleeps = false
                return nil
            }
            if let refusal { return refuse(refusal, sizes.count) }
            if wakes { wake.signal() }
            return mode == .bestEffort ? .taken : .waiting
        }
    }

    /// Wakes the writer, after records that were handed over without waking it.
    package func wakeWriter() {
        let wakes = state.withLock { state in
            defer { if state.buffer.used > 0 { state.writerSleeps = false } }
            return state.writerSleeps && state.buffer.used > 0
        }
        if wakes { wake.signal() }
    }

    /// Hands a record over and calls `acknowledged` in any case: at once, on the caller's thread, where there is nothing
    /// to wait for. What was sampled out or dropped counts as success.
    package func append(_ record: borrowing PredictionRecord, acknowledged: @escaping Acknowledgement) {
        switch submit(record, acknowledged: acknowledged) {
        case .waiting: break
        case .taken, .sampledOut, .dropped: acknowledged(.success(()))
        case .refused(let error): acknowledged(.failure(error))
        }
    }

    /// Logs a record, and returns when the mode allows it to be answered. Throws ``PredictionLogError``.
    package func append(_ record: PredictionRecord) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            append(record) { continuation.resume(with: $0.mapError { $0 as any Error }) }
        }
    }

    /// Logs several records, all or none. Throws ``PredictionLogError``.
    package func append(contentsOf records: [PredictionRecord]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let resume: Acknowledgement = { continuation.resume(with: $0.mapError { $0 as any Error }) }
            switch submit(records, acknowledged: resume) {
            case .waiting: break
            case .taken, .sampledOut, .dropped: resume(.success(()))
            case .refused(let error): resume(.failure(error))
            }
        }
    }

    private func isWanted(_ record: borrowing PredictionRecord) -> Bool {
        if policy.share >= 1 || policy.keepsDecisions && record.decision == true { return true }
        return portableUniform(seed: 0, key: record.requestID) < policy.share
    }

    private func refuse(_ error: PredictionLogError, _ count: Int) -> Admission {
        state.withLock { state in
            if mode == .bestEffort { state.dropped += count } else { state.refused += count }
        }
        return mode == .bestEffort ? .dropped : .refused(error)
    }
}

extension PredictionLog.State {
    /// Why so many bytes cannot be taken now; `nil` when they can.
    func refusal(of bytes: Int, from source: PredictionSourceNumber) -> PredictionLogError? {
        if isClosing { return .closed }
        guard Int(source.value) < sources.count else { return .unknownSource }
        return switch condition {
        case .open: buffer.capacity - buffer.used < bytes ? .busy : nil
        case .full: .full
        case .failed(let cause): .failed(cause)
        case .closed: .closed
        }
    }
}
