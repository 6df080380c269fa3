internal import Core

/// The instruments' queues and recent submissions, in order of submission. Times are minutes.
struct LabQueue {
    /// State of the queue for a new experiment, itself not counted.
    struct Finding {
        let instrument: Int
        /// Unfinished jobs of the instrument, and of the whole laboratory.
        let length: Int
        let active: Int
        /// Minutes of work before the instrument is idle.
        let backlog: Double
    }

    private struct Line {
        var free = 0.0
        /// When each job ends, rising; those before `first` are over.
        var ends: [Double] = []
        var first = 0

        mutating func length(at minute: Double) -> Int {
            while first < ends.count, ends[first] <= minute { first += 1 }
            return ends.count - first
        }
    }

    private let crew: LabCrew
    private var lines: [Line]
    private var assignment: SeededGenerator
    private var run: SeededGenerator
    private var submissions: [[Int]]
    private var oldest: [Int]

    init(crew: LabCrew, seed: UInt64) {
        self.crew = crew
        lines = [Line](repeating: Line(), count: crew.instruments.count)
        assignment = LabStream.assignment.generator(seed: seed)
        run = LabStream.run.generator(seed: seed)
        submissions = crew.experience.map { _ in [] }
        oldest = crew.experience.map { _ in 0 }
    }

    /// Chooses the instrument: mostly the one with the least to do, else any of the type.
    mutating func assign(_ experiment: LabExperiment) -> Finding {
        let minute = experiment.minute
        let type = crew.byType[experiment.instrumentType]
        var chosen = type.lowerBound
        if assignment.uniform() < 0.75 {
            for instrument in type where backlog(instrument, minute) < backlog(chosen, minute) { chosen = instrument }
        } else {
            chosen += assignment.int(below: type.count)
        }
        var active = 0
        for instrument in lines.indices { active += lines[instrument].length(at: minute) }
        return Finding(
            instrument: chosen, length: lines[chosen].length(at: minute), active: active,
            backlog: backlog(chosen, minute))
    }

    /// Puts the experiment in the line of its instrument; `errors` are those of the last 24 hours.
    mutating func enqueue(_ experiment: LabExperiment, on instrument: Int, errors: Int) {
        let noise = 1 + 0.1 * run.drawNormal()
        let minutes = max(10, experiment.duration * (1 + 0.08 * Double(min(errors, 8))) * noise)
        lines[instrument].free = max(lines[instrument].free, experiment.minute) + minutes
        lines[instrument].ends.append(lines[instrument].free)
    }

    /// Submissions of the scientist in the 24 hours up to now, this one included.
    mutating func workload(of experiment: LabExperiment) -> Int {
        let scientist = experiment.scientist
        submissions[scientist].append(experiment.second)
        while submissions[scientist][oldest[scientist]] <= experiment.second - LabClock.secondsPerDay {
            oldest[scientist] += 1
        }
        return submissions[scientist].count - oldest[scientist]
    }

    private func backlog(_ instrument: Int, _ minute: Double) -> Double { max(0, lines[instrument].free - minute) }
}
