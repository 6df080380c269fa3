/// The inputs of an experiment's delay, in minutes unless stated otherwise.
struct LabDelay {
    /// The scale of the logistic noise around the expected delay: smaller makes delays easier to foresee.
    static let scale = 7.5

    let experiment: LabExperiment
    let instrument: LabCrew.Instrument
    let queue: LabQueue.Finding
    let reagent: LabReagents.Finding
    let window: LabTelemetry.Window
    /// Days since the instrument's last calibration.
    let calibrationAge: Int
    /// The scientist's submissions in 24 hours.
    let workload: Int
    /// The index of the scientist's experience.
    let experience: Int

    /// Minutes from submission to the instrument's turn, by priority.
    var wait: Double { queue.backlog * LabTables.waitFactor[experiment.priority] }

    /// The centre of the delay's distribution, before the least delay cuts it off.
    func expected(drift: LabDrift?) -> Double {
        let over = max(0, wait - Double(experiment.buffer) / 60)
        let errors = Double(min(window.errors, 8))
        var delay = -24 + instrument.effect + min(0.8 * over, 200)
        delay += faults(errors)
        delay += 1.5 * Double(max(0, calibrationAge - 27))
        delay += supply
        delay += people
        delay += 2.2 * Double(experiment.steps - 5) + 0.06 * (experiment.duration - 60)
        delay += 30 * max(0, Double(queue.active) / 25 - 1)
        delay += min(0.03 * over * errors, 60)
        if drift == .concept, experiment.day >= LabDrift.firstDay {
            if experiment.instrumentType == LabTables.spectrometer { delay += 30 }
            if experiment.instrumentType == LabTables.hplc { delay -= 10 }
        }
        return delay
    }

    private var hourOfDay: Int { experiment.second / 3_600 % 24 }
    private var dayOfWeek: Int { experiment.day % 7 }

    /// An instrument that fails, shakes or runs hot, worst when few people are there.
    private func faults(_ errors: Double) -> Double {
        let usual = LabTables.instruments[instrument.type]
        let shaking = (window.vibration - usual.vibration) / 0.30
        let heat = window.temperature - usual.temperature
        let offHours = dayOfWeek >= 5 || hourOfDay < 7 || hourOfDay >= 19
        return usual.sensitivity * (offHours ? 1.5 : 1)
            * (6 * errors + 24 * max(0, shaking - 0.5) + 8 * max(0, heat - 1.5))
    }

    /// Reagents that are missing, expired, borderline or were stored too warm.
    private var supply: Double {
        var delay = reagent.short ? 35 + min(reagent.hoursToDelivery, 48) : 0
        if reagent.daysToExpiry < 0 { delay += 45 } else if reagent.daysToExpiry < 3 { delay += 14 }
        if reagent.borderline { delay += 24 }
        if reagent.excursion { delay += 14 }
        return delay
    }

    /// Overloaded or new people, and the hours in which little gets done.
    private var people: Double {
        var delay = 10 * power(Double(max(0, workload - LabTables.capacity[experience])), 1.2)
        if experience == LabTables.junior, experiment.steps >= 8 { delay += 12 }
        if dayOfWeek == 4, hourOfDay >= 15 { delay += 14 }
        let crowded = instrument.type == LabTables.hplc || instrument.type == LabTables.pcr
        if crowded, hourOfDay == 11 || hourOfDay == 12 { delay += 7 }
        return delay
    }
}
