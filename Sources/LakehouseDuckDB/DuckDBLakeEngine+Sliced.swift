internal import DuckDB
internal import Lakehouse
internal import Vocabulary

// A large CSV file slice by slice. Two sessions take turns: while one judges a slice, settles its keys and writes it,
// the other reads the next one. Two slices on a thread each need less CPU time than one slice shared by two threads.

extension DuckDBLakeEngine {
    /// - Returns: `nil` when the file has to be read as a whole.
    func acceptSliced(_ request: AcceptRequest) throws -> BatchAcceptance? {
        guard request.files.count == 1,
            let slicer = CSVSlicer(request.files[0].path, request.format, target: sliceBytes)
        else { return nil }
        let job = AcceptJob(request)
        try createStaging(job)
        try readHeaders(job)
        guard let layout = job.layouts[0] else { return try finish(job) }
        try Disk.makeDirectory(spillFolder)
        let lanes = try lanes()
        let slices = SliceQueue(slicer, file: "\(spillFolder)/slice-\(request.id)", readers: lanes.count)
        let turns = SliceTurns(slices)
        let jobs = lanes.map { _ in AcceptJob(request) }
        defer {
            slices.close()
            for lane in lanes.dropFirst() { lane.dropTemporaryStaging() }
        }
        do {
            try onThreads(max(1, threads - lanes.count + 1)) {
                try turns.run(lanes: lanes.count) { lane, number, slice in
                    try lanes[lane].read(slice, number: number, layout, jobs[lane])
                } settle: { lane, number in
                    jobs[lane].takeOver(job)
                    try lanes[lane].settleSlice(number, jobs[lane])
                    job.takeOver(jobs[lane])
                    job.staged = jobs[lane].staged
                }
            }
        } catch is CSVSlicer.Irregular {
            for file in job.written { Disk.remove(file.path) }
            return nil
        } catch let error as DuckDBError {
            for file in job.written { Disk.remove(file.path) }
            if error.category == "Out of Memory" || error.category == "IO" { throw error }
            // As a whole it is either read, or refused for its own reason.
            return nil
        }
        if job.results[0].rowsRead == 0 { job.refusals[0] = "it has a header but no rows" }
        try lanes[turns.lastLane].settle(0, job)
        if job.refusals[0] != nil {
            for file in job.written { Disk.remove(file.path) }
            job.written = []
        }
        return try finish(job)
    }

    /// What a slice tells by itself. May run while another lane works.
    private func read(_ slice: String, number: Int, _ layout: HeaderReader.Layout, _ job: AcceptJob) throws {
        let format = job.request.format
        let skipped = number == 0 ? format.skipLines + (format.header ? 1 : 0) : 0
        try clearStaged(job)
        try stage([AcceptJob.Staged(file: 0, path: slice, skipped: skipped)], layout, job)
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
