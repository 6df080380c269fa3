internal import Core
internal import DelimitedText
internal import DuckDB
internal import Lakehouse
internal import SourceFormats
internal import Storage

// A large file slice by slice. Two sessions take turns: while one judges a slice, settles its keys and writes it,
// the other reads the next one. Two slices on a thread each need less CPU time than one slice shared by two threads.

extension DuckDBLakeEngine {
    /// Whether a file is read slice by slice.
    func isLarge(_ path: String, _ format: SourceFormat) -> Bool {
        guard let kind = try? SourceFormats.find(format.kind), case .records = kind.reading,
            let size = Disk.stamp(path)?.size
        else { return false }
        // Packed text unpacks to several times its size.
        let isPacked = (try? ByteStream(path))?.packing ?? .none != .none
        return size * (isPacked ? 8 : kind.expansion) > sliceBytes + sliceBytes / 2
    }

    /// - Returns: `nil` when the file has to be read as a whole.
    func acceptSliced(_ request: AcceptRequest) throws -> BatchAcceptance? {
        guard request.files.count == 1, isLarge(request.files[0].path, request.format) else { return nil }
        let job = try AcceptJob(request)
        job.keepsPieces = false
        job.keepsReader = true
        job.pieceBytes = Int(sliceBytes)
        try createStaging(job)
        try readHeaders(job)
        guard let layout = job.layouts[0], let reader = job.reader else { return try finish(job) }
        job.reader = nil
        let lanes = try lanes()
        let slices = SliceQueue(reader)
        let turns = OrderedSlicePipeline(slices)
        let jobs = try lanes.map { _ in try AcceptJob(request) }
        defer {
            slices.close()
            for lane in lanes.dropFirst() { lane.dropTemporaryStaging() }
        }
        do {
            try onThreads(max(1, threads - lanes.count + 1)) {
                try turns.run(lanes: lanes.count) { lane, slice in
                    try lanes[lane].read(slice, layout, jobs[lane])
                } settle: { lane, number in
                    jobs[lane].takeOver(job)
                    try lanes[lane].settleSlice(number, jobs[lane])
                    job.takeOver(jobs[lane])
                    job.staged = jobs[lane].staged
                }
            }
        } catch is MustReadWhole {
            for file in job.written { Disk.remove(file.path) }
            return nil
        } catch let refusal as FileRefusal {
            job.refusals[0] = refusal.reason
        } catch {
            for file in job.written { Disk.remove(file.path) }
            throw error
        }
        if job.results[0].rowsRead == 0, job.refusals[0] == nil { job.refusals[0] = "it has a header but no rows" }
        if job.refusals[0] == nil, !job.staged.isEmpty { try lanes[turns.lastLane].settle(0, job) }
        if job.refusals[0] != nil {
            for file in job.written { Disk.remove(file.path) }
            job.written = []
        }
        return try finish(job)
    }

    /// What a slice tells by itself. May run while another lane works.
    private func read(_ slice: any RecordPiece, _ layout: HeaderReader.Layout, _ job: AcceptJob) throws {
        try clearStaged(job)
        try stage([AcceptJob.Staged(file: 0, path: job.request.files[0].path, piece: slice)], layout, job)
    }

    /// What depends on the slices before it: row numbers and keys.
    private func settleSlice(_ number: Int, _ job: AcceptJob) throws {
        let rowsBefore = job.results[0].rowsRead
        try judge(job)
        if !job.contract.key.isEmpty {
            try settleKeys(job, against: job.request.existing, slices: job.written.map(\.path))
        }
        try write(job, suffix: "-\(number)")
        job.rowsBefore += Int64(job.results[0].rowsRead - rowsBefore)
    }
}
