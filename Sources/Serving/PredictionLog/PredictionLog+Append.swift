package import Core
internal import Dispatch
internal import Synchronization

extension PredictionLog {
    /// Appends a record with its features from the caller's memory; returns whether and how it will be acknowledged.
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
        if !policy.wants(record) {
            sampledOut.add(1, ordering: .relaxed)
            return .sampledOut
        }
        guard let size = EncodedSize(record, features: features.count, most: policy.bufferBytes) else {
            return refuse(.tooLarge, 1)
        }
        var wakes = false
        let refusal = state.withLock { state -> PredictionLogError? in
            if let refusal = state.refusal(of: size.total, within: policy) { return refusal }
            if !state.knows(record.source) { return .unknownSource }
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

    /// Appends a record; returns whether and how it will be acknowledged.
    package func submit(
        _ record: borrowing PredictionRecord, courier: AcknowledgementCourier? = nil, waking: Bool = true,
        acknowledged: @escaping Acknowledgement
    ) -> Admission {
        record.features.withUnsafeBufferPointer { features in
            submit(record, features: features, courier: courier, waking: waking, acknowledged: acknowledged)
        }
    }

    /// Appends the records of a block, all or none, with one acknowledgement for all.
    ///
    /// Returns `sampledOut` when the sampling policy excluded all of them.
    package func submit(
        _ block: consuming PredictionBlock, courier: AcknowledgementCourier? = nil,
        acknowledged: @escaping Acknowledgement
    ) -> Admission {
        sampledOut.add(block.leftOut, ordering: .relaxed)
        if let refusal = block.refusal { return refuse(refusal, block.count) }
        if block.count == 0 { return .sampledOut }
        let (count, sources) = (block.count, block.sources)
        let records = block.handOver()
        var wakes = false
        let refusal = state.withLock { state -> PredictionLogError? in
            if let refusal = state.refusal(of: records.count, within: policy) { return refusal }
            if !sources.allSatisfy(state.knows) { return .unknownSource }
            if records.count > policy.bufferBytes {
                state.buffer.append(records, records: count, of: sources)
            } else {
                let bytes = UnsafeRawBufferPointer(start: records.memory.base, count: records.count)
                state.buffer.append(bytes, records: count, of: sources)
            }
            state.appended += count
            if mode != .bestEffort {
                state.buffer.waiters.append(.init(acknowledged: acknowledged, courier: courier))
            }
            wakes = state.writerSleeps
            state.writerSleeps = false
            return nil
        }
        if let refusal { return refuse(refusal, count) }
        if wakes { wake.signal() }
        return mode == .bestEffort ? .taken : .waiting
    }

    /// Wakes the writer thread, after records that were appended without waking it.
    package func wakeWriter() {
        let wakes = state.withLock { state in
            defer { if !state.buffer.isEmpty { state.writerSleeps = false } }
            return state.writerSleeps && !state.buffer.isEmpty
        }
        if wakes { wake.signal() }
    }

    /// Appends a record and always calls `acknowledged`.
    ///
    /// It is called at once, on the caller's thread, when there is nothing to wait for. A record that was sampled out
    /// or dropped counts as success.
    package func append(_ record: borrowing PredictionRecord, acknowledged: @escaping Acknowledgement) {
        switch submit(record, acknowledged: acknowledged) {
        case .waiting: break
        case .taken, .sampledOut, .dropped: acknowledged(.success(()))
        case .refused(let error): acknowledged(.failure(error))
        }
    }

    /// Appends a record, and returns when the mode allows the request to be answered. Throws ``PredictionLogError``.
    package func append(_ record: PredictionRecord) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            append(record) { continuation.resume(with: $0.mapError { $0 as any Error }) }
        }
    }

    /// Appends several records, all or none. Throws ``PredictionLogError``.
    package func append(contentsOf records: [PredictionRecord]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let resume: Acknowledgement = { continuation.resume(with: $0.mapError { $0 as any Error }) }
            var block = PredictionBlock(self, records: records.count)
            for record in records { record.features.withUnsafeBufferPointer { block.add(record, features: $0) } }
            switch submit(block, acknowledged: resume) {
            case .waiting: break
            case .taken, .sampledOut, .dropped: resume(.success(()))
            case .refused(let error): resume(.failure(error))
            }
        }
    }

    private func refuse(_ error: PredictionLogError, _ count: Int) -> Admission {
        state.withLock { state in
            if mode == .bestEffort { state.dropped += count } else { state.refused += count }
        }
        return mode == .bestEffort ? .dropped : .refused(error)
    }
}

extension PredictionLog.Admission {
    /// Whether an answer may leave at once; otherwise when the record is acknowledged.
    /// - Throws: why it must not leave at all, as `predictions.*`.
    package func letsAnswerLeave() throws(MartletError) -> Bool {
        switch self {
        case .waiting: false
        case .taken, .sampledOut, .dropped: true
        case .refused(let error): throw error.error
        }
    }
}

extension PredictionLog.State {
    func knows(_ source: PredictionSourceNumber) -> Bool { Int(source.value) < sources.count }

    /// Why so many bytes cannot be taken now; `nil` when they can.
    func refusal(of bytes: Int, within policy: PredictionLogPolicy) -> PredictionLogError? {
        if isClosing { return .closed }
        let room =
            bytes > policy.bufferBytes ? policy.blockBytes - buffer.largeBytes : buffer.capacity - buffer.used
        return switch condition {
        case .open: room < bytes ? .busy : nil
        case .full: .full
        case .failed(let cause): .failed(cause)
        case .closed: .closed
        }
    }
}
