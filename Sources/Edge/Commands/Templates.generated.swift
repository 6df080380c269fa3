// Written by scripts/embed from examples. Do not edit.
// swift-format-ignore-file

/// The files of each project template that `martlet init` knows.
enum Templates {
    static let files: [(template: String, path: String, content: String)] = [
        (template: "blank", path: "README.md", content: ##"""
# A blank project

1. `contracts/measurements.yaml`: describe your file, column by column.
2. Put the file into `landing/measurements/`.
3. `transforms/`: one SELECT a table, silver to clean, gold for one row per key.
4. `martlet.yaml`: name the key, the target and the gates.
5. `martlet doctor`, then `martlet run`.

"""##),
        (template: "blank", path: "contracts/measurements.yaml", content: ##"""
description: one row per measurement
on_violation: reject-row # a bad row goes to quarantine; or reject-file, warn
max_rejected: 0.1 # a file with a larger share of bad rows is refused whole
key: [id]
on_key_conflict: latest-wins # or reject
columns:
  id: {type: bigint, nullable: false}
  taken_at: {type: timestamp}
  kind: {type: text, allowed: [a, b, c]}
  value: {type: double, min: 0, max: 100, unit: mm}
  outcome: {type: text, allowed: ["yes", "no"], optional: true}

"""##),
        (template: "blank", path: "martlet.yaml", content: ##"""
# A Martlet project. `martlet doctor` says what is wrong with it; `martlet schema` prints a JSON Schema for editors.
name: blank

# Where files come from. Each source is a contract (contracts/<source>.yaml), a folder (landing/<source>/) and a
# table (bronze.<source>).
sources:
  measurements:
    csv: {delimiter: ",", missing: ["NA"]}

# What is learned from the tables that transforms/**/*.sql make.
models:
  - name: blank
    table: gold.measurements # one row per key
    key: id # unique; orders the rows
    target: {column: outcome, positive: "yes"} # rows without an outcome are scored, not learned from
    # group: customer_id       # rows of one group never stand on both sides of the split
    # features:
    #   exclude: [note]        # everything but key, target, group and event_time is a feature
    #   categorical: [code]    # number columns that are codes; text and boolean columns are categorical by themselves
    split: {kind: hash, seed: 42, train: 0.7, validation: 0.1, test: 0.2}
    learner:
      kind: lightgbm # or xgboost, random_forest
      parameters: {num_leaves: 15, learning_rate: 0.05}
      rounds: 1000
      early_stopping: 50
    calibration: none # or platt, isotonic
    threshold: {fixed: 0.5} # or cost: {false_negative: 5, false_positive: 1}
    gates:
      - {metric: roc_auc, at_least: 0.6} # a version that misses a gate is not registered
    approval: none # or required: a person must approve each version

"""##),
        (template: "blank", path: "transforms/gold/measurements.sql", content: #"""
-- One row per key: the features and the target.
SELECT
    id,
    kind,
    value,
    outcome
FROM silver.measurements

"""#),
        (template: "blank", path: "transforms/silver/measurements.sql", content: #"""
-- One SELECT a file makes one table: this one makes silver.measurements. Name other tables with their layer.
SELECT
    id,
    taken_at,
    kind,
    value,
    outcome
FROM bronze.measurements
WHERE value IS NOT NULL

"""#),
        (template: "downtime", path: "README.md", content: ###"""
# downtime: is this machine failing now?

One row is one reading of a dozen sensors on one of three CNC machines; the label says whether the reading belongs to a
failure. The public file has 2,500 readings of 2021-11 to 2022-07, half of them failures. Its licence is not stated: use
it for evaluation and do not redistribute it. Put it into `landing/readings/`, then `martlet run`, then
`martlet models approve`: a version waits for a person.

<!-- figures
bench downtime
2,500 count rows, seed 42
given 2021 11 2022 07 1 0
-->

| file | what it says |
| --- | --- |
| `contracts/readings.yaml` | units in headers, day-first dates, ranges that tell bar from pascal and kN from N |
| `transforms/silver/readings.sql` | an id from the content, impossible readings become missing, the label becomes 1 or 0 |
| `transforms/gold/readings.sql` | 12 sensors and three derived features |
| `martlet.yaml` | random forest, 200 trees of depth 10, balanced; gates; approval required |

## Two files that look alike

There is a "cleaned" file with the same sensors in pascal, newton and another speed unit, without units in its headers
and with ISO dates. A model of the one must not score the other. The contract takes units from headers, so the cleaned
file lacks required columns; with its headers renamed its values are out of range, and since more than 5 % of the rows
are bad the whole file is refused. Degree and mu signs in headers are taken in their usual spellings, and as `?`.

<!-- figures
given 5
-->

The file has no key and its days repeat. A reading is known by the MD5 of what was measured, without the label, so a
file in another order or a second delivery changes nothing.

## What the numbers mean

Five stratified folds of all rows, and three assignments of folds (`make bench NAME=downtime`, which has scikit-learn's
forest beside them):

| folds | accuracy | F1 | recall | ROC-AUC |
| --- | --- | --- | --- | --- |
| seed 42 | 0.983 | 0.983 | 0.978 | 0.998 |
| seed 1 | 0.982 | 0.983 | 0.977 | 0.998 |
| seed 2 | 0.983 | 0.983 | 0.979 | 0.998 |

<!-- figures
bench downtime
0.983 quality accuracy, mean of 5 folds, seed 42
0.983 quality f1, mean of 5 folds, seed 42
0.978 quality recall, mean of 5 folds, seed 42
0.998 quality roc_auc, mean of 5 folds, seed 42
0.982 quality accuracy, mean of 5 folds, seed 1
0.983 quality f1, mean of 5 folds, seed 1
0.977 quality recall, mean of 5 folds, seed 1
0.998 quality roc_auc, mean of 5 folds, seed 1
0.983 quality accuracy, mean of 5 folds, seed 2
0.983 quality f1, mean of 5 folds, seed 2
0.979 quality recall, mean of 5 folds, seed 2
0.998 quality roc_auc, mean of 5 folds, seed 2
given 42 1 2
-->

- **It is detection, not forecast.** Label and sensors are from the same reading. The share of failures on a day says
  nothing about the next day. A claim of early warning from this file would be false.
- **The classes are nearly separable**: one tree of depth four is nearly always right, by hydraulic pressure, torque,
  cutting force and spindle speed, and the other six sensors alone are no better than chance. Such data look simulated.
  Expect less of a real machine.
- The gates are therefore high (accuracy and F1 0.97, recall 0.97, ROC-AUC 0.995 over five folds): a model below them
  has lost something. One test part has 500 rows, its gates leave room for that.
- Machine and date are no features. A split by time or leaving one machine out costs nothing on this file.
- The missing cells stay missing; the forest handles them.

<!-- figures
given 0.97 0.995 500
-->

## Without the file

`martlet generate` writes look-alike readings, labelled synthetic wherever a figure of them appears. A few
thresholds separate their classes, with one label in 500 turned round.

"""###),
        (template: "downtime", path: "contracts/readings.yaml", content: ##"""
description: >-
  One row per reading of three CNC machines. The units are part of the contract: bar, RPM, Nm and kN. A file of the
  same readings in pascal, newton or another speed unit has other headers, and with renamed headers other ranges.
on_violation: reject-row
max_rejected: 0.05 # a file with more bad rows than this is another file, most likely in other units: refuse it whole
# The file has no id and days repeat, so there is no key here; the silver table makes one from the content.
event_time: reading_date
columns:
  reading_date: {type: date, nullable: false, format: "%d-%m-%Y", from: [Date, Dates], description: day first}
  machine_id: {type: text, nullable: false, pattern: "Makino-L[0-9]+-Unit[0-9]+-[0-9]{4}", from: [Machine_ID]}
  assembly_line: {type: text, nullable: false, pattern: "Shopfloor-L[0-9]+", from: [Assembly_Line_No]}
  hydraulic_pressure:
    type: double
    from: ["Hydraulic_Pressure(bar)"]
    min: -20
    max: 300
    unit: bar
    description: below 0 the gauge is at fault, and silver makes the value missing
  coolant_pressure: {type: double, from: ["Coolant_Pressure(bar)"], min: 0, max: 20, unit: bar}
  air_system_pressure: {type: double, from: ["Air_System_Pressure(bar)"], min: 0, max: 20, unit: bar}
  coolant_temperature:
    type: double
    from: [Coolant_Temperature, "Coolant_Temperature(°C)", "Coolant_Temperature(C)", "Coolant_Temperature(?C)"]
    min: -10
    max: 120
    unit: °C
  hydraulic_oil_temperature:
    type: double
    from:
      - Hydraulic_Oil_Temperature
      - "Hydraulic_Oil_Temperature(°C)"
      - "Hydraulic_Oil_Temperature(C)"
      - "Hydraulic_Oil_Temperature(?C)"
    min: -10
    max: 150
    unit: °C
  spindle_bearing_temperature:
    type: double
    from:
      - Spindle_Bearing_Temperature
      - "Spindle_Bearing_Temperature(°C)"
      - "Spindle_Bearing_Temperature(C)"
      - "Spindle_Bearing_Temperature(?C)"
    min: -10
    max: 150
    unit: °C
  spindle_vibration:
    type: double
    from: [Spindle_Vibration, "Spindle_Vibration(µm)", "Spindle_Vibration(μm)", "Spindle_Vibration(?m)"]
    min: -1
    max: 20
    unit: µm
    description: below 0 the sensor is at fault, and silver makes the value missing
  tool_vibration:
    type: double
    from: [Tool_Vibration, "Tool_Vibration(µm)", "Tool_Vibration(μm)", "Tool_Vibration(?m)"]
    min: 0
    max: 200
    unit: µm
  spindle_speed:
    type: double
    from: ["Spindle_Speed(RPM)"]
    min: 0
    max: 40000
    unit: RPM
  voltage: {type: double, from: ["Voltage(volts)"], min: 0, max: 1000, unit: V}
  torque: {type: double, from: ["Torque(Nm)"], min: 0, max: 200, unit: Nm}
  cutting: {type: double, from: ["Cutting(kN)"], min: 0, max: 20, unit: kN}
  downtime:
    type: text
    from: [Downtime]
    allowed: [Machine_Failure, No_Machine_Failure]
    available_at: afterwards # when the failure was noted is not in the file
    optional: true
    description: the label; missing for readings that are to be scored

"""##),
        (template: "downtime", path: "martlet.yaml", content: ##"""
# Machine failure from a reading of a dozen sensors. It detects; it does not forecast: see README.md.
name: downtime
sources:
  readings:
    contract: contracts/readings.yaml
models:
  - name: downtime
    table: gold.readings
    key: reading_id
    target: {column: failure, positive: "1"}
    features:
      exclude: [reading_date, machine_id] # what the machine measures, not which machine and when
    split: {kind: stratified, seed: 42, train: 0.8, validation: 0, test: 0.2}
    cross_validation: {folds: 5, seed: 42}
    learner:
      kind: random_forest
      parameters:
        n_estimators: 200
        max_depth: 10
        min_samples_split: 2
        min_samples_leaf: 1
        max_features: sqrt
        class_weight: balanced
    calibration: none
    threshold: {fixed: 0.5}
    bands: {medium: 0.3, high: 0.7}
    gates:
      # Five folds of all rows carry the floors; one test part of 500 rows is held to a little less.
      - {metric: accuracy, at_least: 0.97, part: cv}
      - {metric: f1, at_least: 0.97, part: cv}
      - {metric: recall, at_least: 0.97, part: cv}
      - {metric: roc_auc, at_least: 0.995, part: cv}
      - {metric: accuracy, at_least: 0.96}
      - {metric: recall, at_least: 0.95}
      - {metric: roc_auc, at_least: 0.99}
    approval: required # a version waits until a person approves it

"""##),
        (template: "downtime", path: "transforms/gold/readings.sql", content: #"""
-- One row per reading: the sensors, three derived features, and the label.
SELECT
    reading_id,
    reading_date,
    machine_id,
    hydraulic_pressure,
    coolant_pressure,
    air_system_pressure,
    coolant_temperature,
    hydraulic_oil_temperature,
    spindle_bearing_temperature,
    spindle_vibration,
    tool_vibration,
    spindle_speed,
    voltage,
    torque,
    cutting,
    hydraulic_pressure - coolant_pressure AS pressure_differential,
    tool_vibration / nullif(spindle_vibration, 0) AS vibration_ratio,
    hydraulic_pressure * cutting AS pressure_force_interaction,
    failure
FROM silver.readings

"""#),
        (template: "downtime", path: "transforms/silver/readings.sql", content: #"""
-- Machine readings, cleaned: one row per distinct reading.
--
-- Rule 1. The file has no id and days repeat, so a reading is known by its content: the MD5 of what was measured,
--         without the label. It does not depend on the order of rows or files; a reading delivered twice is one row,
--         and the labelled copy is kept.
-- Rule 2. A pressure or a vibration below zero is a sensor at fault: the value becomes missing, the row stays.
-- Rule 3. The label becomes 1 (machine failure) or 0.
WITH identified AS (
    SELECT
        *,
        md5(concat_ws(
            '|',
            CAST(reading_date AS STRING),
            machine_id,
            coalesce(CAST(hydraulic_pressure AS STRING), '-'),
            coalesce(CAST(coolant_pressure AS STRING), '-'),
            coalesce(CAST(air_system_pressure AS STRING), '-'),
            coalesce(CAST(coolant_temperature AS STRING), '-'),
            coalesce(CAST(hydraulic_oil_temperature AS STRING), '-'),
            coalesce(CAST(spindle_bearing_temperature AS STRING), '-'),
            coalesce(CAST(spindle_vibration AS STRING), '-'),
            coalesce(CAST(tool_vibration AS STRING), '-'),
            coalesce(CAST(spindle_speed AS STRING), '-'),
            coalesce(CAST(voltage AS STRING), '-'),
            coalesce(CAST(torque AS STRING), '-'),
            coalesce(CAST(cutting AS STRING), '-')
        )) AS reading_id
    FROM bronze.readings
),

ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY reading_id
            ORDER BY CASE WHEN downtime IS NULL THEN 1 ELSE 0 END, _file, _row
        ) AS copy_number
    FROM identified
)

SELECT
    reading_id,
    reading_date,
    machine_id,
    assembly_line,
    CASE WHEN hydraulic_pressure >= 0 THEN hydraulic_pressure END AS hydraulic_pressure,
    coolant_pressure,
    air_system_pressure,
    coolant_temperature,
    hydraulic_oil_temperature,
    spindle_bearing_temperature,
    CASE WHEN spindle_vibration >= 0 THEN spindle_vibration END AS spindle_vibration,
    tool_vibration,
    spindle_speed,
    voltage,
    torque,
    cutting,
    CASE downtime WHEN 'Machine_Failure' THEN 1 WHEN 'No_Machine_Failure' THEN 0 END AS failure
FROM ranked
WHERE copy_number = 1

"""#),
        (template: "lab-delay", path: "README.md", content: ###"""
# lab-delay: which experiments will end late

One row is one experiment of a laboratory at the moment of its submission; the label is whether it will end more than
30 minutes after its plan. Everything comes from four logs, each with files of its own in `landing/`:

<!-- figures
given 30
-->

| source | one row is |
| --- | --- |
| `workflow_logs` | an experiment: plan, instrument, scientist, reagent; afterwards also how it ended |
| `queue_logs` | an experiment joining the queue of its instrument; afterwards also when it left it |
| `instrument_telemetry` | an hour of an instrument: vibration, temperature, pressure, errors, age of the calibration |
| `reagent_logs` | an event of a reagent: delivered, used, missing, discarded; stock, lot and order after it |

There is no public data set of this kind, so the logs are made up: `martlet generate lab-delay -o landing` writes
50,000 experiments of 540 days as 2,160 daily files. Then `martlet run`.

<!-- figures
bench lab_files
2,160 count files, all days
given 50,000 540
-->

| file | what it says |
| --- | --- |
| `contracts/*.yaml` | types, units and ranges; since when a row and a value are known |
| `transforms/silver/instrument_hours.sql` | telemetry over 6 and 24 hours, and what is usual for the instrument |
| `transforms/silver/queue_shares.sql` | how much of the backlog each priority has lately waited for |
| `transforms/silver/reagent_states.sql` | the state of a reagent after each second with an event |
| `transforms/gold/experiments.sql` | 42 features of what is known at submission, and the label |
| `martlet.yaml` | tables built in part, the split by time, LightGBM, the threshold, the gates |

## What is known when

The score is asked for when an experiment is submitted, and nothing that becomes known later is used:

- `actual_end_ts`, `delay_min` and `delayed` give the answer away. `dequeue_ts` and `wait_min` are known only when the
  experiment leaves the queue; how long *earlier* jobs waited counts from the moment at which they left it.
- Telemetry counts up to the last full hour before the submission.
- A reagent is as its last event *before* the submission left it. The experiment's own withdrawal is logged in the same
  second; it would say more about a storage excursion or an order of that very day (worth next to nothing), but
  whether it is there when the score is asked for is a matter of milliseconds.

## What the numbers mean

The last fifth of the time, 10,000 experiments. Bayes is what the true probabilities reach, which the generator writes
beside the logs and which nothing here reads; nobody can do better. The logs are **synthetic**, those of the other
implementation too.

<!-- figures
bench lab_reference
10,000 count reference: test rows
-->

| logs | ROC-AUC | Bayes | PR-AUC | Bayes | recall | cost per 1,000 | Bayes |
| --- | --- | --- | --- | --- | --- | --- | --- |
| of another implementation | 0.982 | 0.985 | 0.961 | 0.968 | 0.930 | 101 | 91 |

<!-- figures
bench lab_reference
0.982 quality ROC-AUC
0.985 quality Bayes roc_auc
0.961 quality PR-AUC
0.968 quality Bayes pr_auc
0.930 quality recall
101 ratio cost per 1,000
91 ratio Bayes cost
given 1,000
-->

- **The threshold is 0.25**, what 3:1 asks of calibrated probabilities. Where the least cost on the 5,000 validation rows
  lies depends on the seed, and it costs more on the test rows.
- **The classes are as separable as the generator's noise lets them be** (logistic, scale 7.5 minutes). Say nothing about
  a real laboratory from these figures.
- Between a third and a seventh of the experiments are late, depending on the month: campaigns and empty shelves move
  the base rate. That alone is no drift.
- What matters most: jobs in the laboratory, the scientist's load, errors of the instrument, stock, and how far the
  expected wait overruns the time until the planned start.

<!-- figures
given 0.25 3 1 5,000 7.5
-->

## Other logs of the same kind

Parquet files land with `format: parquet` under the source in `martlet.yaml`. A row of `workflow_logs` or `queue_logs`
may come twice, first at submission and again with the outcome: the later one wins. Experiments without an outcome are
scored at each run, or ahead of one by `martlet predict FILE --source workflow_logs` with the other logs up to date.

"""###),
        (template: "lab-delay", path: "contracts/instrument_telemetry.yaml", content: ##"""
description: One row per instrument and hour. A reading that was lost has empty cells and no errors.
event_time: ts
on_violation: reject-row
max_rejected: 0.05
key: [instrument_id, ts]
columns:
  ts: {type: timestamp, nullable: false, description: when the hour begins}
  instrument_id: {type: text, nullable: false}
  # The ranges are wider than any instrument's: beyond them lies another unit.
  vibration_mm_s: {type: double, min: -10, max: 100, unit: mm/s}
  temperature_c: {type: double, min: -50, max: 200, unit: °C}
  pressure_bar: {type: double, min: -5, max: 50, unit: bar}
  error_count: {type: integer, nullable: false, min: 0, max: 100000}
  days_since_calibration: {type: integer, min: 0, max: 3650, unit: d}

"""##),
        (template: "lab-delay", path: "contracts/queue_logs.yaml", content: ##"""
description: >-
  One row per experiment that joined the queue of its instrument: what it found there, and, once it has left the
  queue, when that was.
event_time: enqueue_ts
on_violation: reject-row
max_rejected: 0.05
key: [experiment_id]
on_key_conflict: latest-wins
columns:
  queue_event_id: {type: bigint, nullable: false}
  experiment_id: {type: text, nullable: false}
  instrument_id: {type: text, nullable: false}
  enqueue_ts: {type: timestamp, nullable: false}
  queue_length_at_enqueue: {type: integer, nullable: false, min: 0, description: unfinished jobs of the instrument}
  backlog_min_at_enqueue: {type: double, nullable: false, min: 0, unit: min, description: until the instrument is idle}
  lab_active_jobs_at_enqueue: {type: integer, nullable: false, min: 0, description: unfinished jobs of the laboratory}
  priority: {type: text, nullable: false, allowed: [Low, Medium, High, Critical]}
  # Known only when the experiment has left the queue.
  dequeue_ts: {type: timestamp, optional: true, available_at: dequeue_ts}
  wait_min: {type: double, optional: true, min: 0, unit: min, available_at: dequeue_ts}

"""##),
        (template: "lab-delay", path: "contracts/reagent_logs.yaml", content: #"""
description: >-
  One row per event of a reagent, with its stock, lot and order as they are after it. Events have no number of their
  own, and two alike in one second are possible, so there is no key.
event_time: ts
on_violation: reject-row
max_rejected: 0.05
columns:
  ts: {type: timestamp, nullable: false}
  reagent_id: {type: text, nullable: false}
  lot_id: {type: text}
  event_type: {type: text, nullable: false, allowed: [receive, consume, stockout, discard]}
  quantity_units: {type: double}
  stock_after_units: {type: double, nullable: false, min: 0}
  lot_expiry_ts: {type: timestamp}
  lot_qc_status: {type: text, allowed: [pass, borderline]}
  expected_delivery_ts: {type: timestamp, description: empty when no order is open}
  storage_excursion_48h: {type: integer, min: 0, max: 1, description: 1 when the storage was lately too warm}

"""#),
        (template: "lab-delay", path: "contracts/workflow_logs.yaml", content: ##"""
description: >-
  One row per experiment. It is logged when it is submitted; the last three columns follow when it has ended, in a
  second delivery of the row or, in logs that were written afterwards, in the first.
event_time: submitted_ts
on_violation: reject-row
max_rejected: 0.05
key: [experiment_id]
on_key_conflict: latest-wins
columns:
  experiment_id: {type: text, nullable: false}
  submitted_ts: {type: timestamp, nullable: false, description: the moment of prediction}
  experiment_type: {type: text, nullable: false, allowed: [QC, Validation, Screening, Pilot, "R&D"]}
  priority: {type: text, nullable: false, allowed: [Low, Medium, High, Critical]}
  scientist_id: {type: text, nullable: false}
  experience: {type: text, nullable: false, allowed: [Junior, Mid, Senior]}
  instrument_id: {type: text, nullable: false, pattern: "[A-Za-z]+-[0-9]+", description: type and number}
  n_steps: {type: integer, nullable: false, min: 1, max: 100}
  planned_start_ts: {type: timestamp, nullable: false}
  planned_duration_min: {type: double, nullable: false, min: 1, max: 2880, unit: min}
  reagent_id: {type: text, nullable: false}
  required_units: {type: integer, nullable: false, min: 1, max: 1000}
  # What came of it. A row without these is an experiment that has not ended yet.
  actual_end_ts: {type: timestamp, optional: true, available_at: actual_end_ts}
  delay_min:
    type: double
    optional: true
    unit: min
    available_at: actual_end_ts
    description: after the planned end; below 0 it ended early
  delayed:
    type: integer
    optional: true
    min: 0
    max: 1
    available_at: actual_end_ts
    description: the label, 1 when it ended more than 30 minutes late

"""##),
        (template: "lab-delay", path: "martlet.yaml", content: ##"""
# Which experiments of a laboratory will end more than 30 minutes late, told at the moment of their submission.
name: lab-delay
sources:
  workflow_logs: {}
  queue_logs: {}
  instrument_telemetry: {}
  reagent_logs: {}
transforms:
  # A new day builds only the rows that it can change; a lookback says how far back of itself a row looks.
  silver.instrument_hours: {incremental: {by: ts, lookback: 30 days}}
  silver.queue_shares: {incremental: {by: dequeue_ts, lookback: 37 days}}
  silver.reagent_states: {incremental: {by: ts}}
  gold.experiments: {incremental: {by: submitted_ts, lookback: 31 days}}
models:
  - name: lab-delay
    table: gold.experiments
    key: experiment_id
    target: {column: delayed, positive: 1}
    event_time: submitted_ts
    split: {kind: time, train: 0.7, validation: 0.1, test: 0.2} # the model is judged on the last fifth of the time
    learner:
      kind: lightgbm
      parameters:
        # Small trees: what delays an experiment mostly adds up.
        num_leaves: 8
        learning_rate: 0.05
        min_data_in_leaf: 60
        bagging_fraction: 0.8
        bagging_freq: 1
        feature_fraction: 0.5
        lambda_l2: 5
        path_smooth: 5
      rounds: 3000
      early_stopping: 100 # on the log loss of the validation part
    calibration: none # stopped on log loss and unweighted, the scores are calibrated as they come: see README.md
    # A delay that nobody saw coming costs as much as three alarms.
    threshold: {cost: {false_negative: 3, false_positive: 1, rule: theoretical}}
    bands: {medium: 0.25, high: 0.6}
    gates:
      - {metric: roc_auc, at_least: 0.97}
      - {metric: pr_auc, at_least: 0.93}
      - {metric: recall, at_least: 0.9}
      - {metric: ece, at_most: 0.02}
    approval: none
    # A single experiment, as it is submitted: which earlier rows its features can depend on.
    process:
      record: workflow_logs
      rows:
        workflow_logs: {same: [scientist_id], lookback: 2 days}
        queue_logs: {same: [experiment_id, priority], lookback: 68 days}
        instrument_telemetry: {same: [instrument_id], lookback: 33 days}
        reagent_logs: {same: [reagent_id], lookback: 31 days}

"""##),
        (template: "lab-delay", path: "transforms/gold/experiments.sql", content: #"""
-- One row per experiment: what is known at the moment of its submission, and whether it was delayed.
--
-- Telemetry counts up to the last full hour before the submission. A reagent is as it was before this experiment: what
-- its own submission takes, or finds missing, is written in the same second and stays out. Of the queue, only what was
-- found on joining it counts; how long earlier jobs waited counts from the moment at which they left the queue.
-- Nothing is looked for further back than 30 days (telemetry: a day), so that the table can be built in part.
WITH submitted AS (
    SELECT
        *,
        split_part(instrument_id, '-', 1) AS instrument_type,
        -- Work that a scientist can look after in a day: the laboratory's staffing rule.
        CASE experience WHEN 'Junior' THEN 3 WHEN 'Mid' THEN 4 ELSE 6 END AS scientist_capacity,
        CAST(count(*) OVER last_day AS INTEGER) AS scientist_load_24h
    FROM bronze.workflow_logs
    WINDOW
        last_day AS (
            PARTITION BY scientist_id ORDER BY submitted_ts RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND CURRENT ROW
        )
),

instrument AS (
    SELECT s.experiment_id, h.*
    FROM submitted AS s
    ASOF JOIN silver.instrument_hours AS h ON s.instrument_id = h.instrument_id AND s.submitted_ts >= h.known_ts
    WHERE h.known_ts >= s.submitted_ts - INTERVAL 24 HOURS
),

reagent AS (
    SELECT s.experiment_id, r.*
    FROM submitted AS s
    ASOF JOIN silver.reagent_states AS r ON s.reagent_id = r.reagent_id AND s.submitted_ts > r.ts
    WHERE r.ts >= s.submitted_ts - INTERVAL 30 DAYS
),

share AS (
    SELECT s.experiment_id, q.share
    FROM submitted AS s
    ASOF JOIN silver.queue_shares AS q ON s.priority = q.priority AND s.submitted_ts >= q.dequeue_ts
    WHERE q.dequeue_ts >= s.submitted_ts - INTERVAL 30 DAYS
),

joined AS (
    SELECT
        s.*,
        q.queue_length_at_enqueue,
        q.backlog_min_at_enqueue,
        q.lab_active_jobs_at_enqueue,
        q.backlog_min_at_enqueue * w.share AS expected_wait_min,
        (epoch(s.planned_start_ts) - epoch(s.submitted_ts)) / 60 AS buffer_min,
        i.* EXCLUDE (experiment_id, instrument_id, ts, known_ts),
        r.* EXCLUDE (experiment_id, reagent_id, ts),
        (epoch(s.submitted_ts) - epoch(r.ts)) / 3600 AS reagent_event_age_h
    FROM submitted AS s
    LEFT JOIN bronze.queue_logs AS q ON s.experiment_id = q.experiment_id AND q.enqueue_ts <= s.submitted_ts
    LEFT JOIN share AS w ON s.experiment_id = w.experiment_id
    LEFT JOIN instrument AS i ON s.experiment_id = i.experiment_id
    LEFT JOIN reagent AS r ON s.experiment_id = r.experiment_id
)

SELECT
    experiment_id,
    submitted_ts,
    delayed, -- null while the experiment has not ended

    -- the experiment
    experiment_type,
    priority,
    n_steps,
    planned_duration_min,
    buffer_min,
    required_units,

    -- the calendar
    hour(submitted_ts) AS hour_of_day,
    isodow(submitted_ts) AS day_of_week,
    CAST(isodow(submitted_ts) >= 6 OR hour(submitted_ts) < 7 OR hour(submitted_ts) >= 19 AS INTEGER) AS off_hours,

    -- the scientist
    experience,
    scientist_load_24h,
    scientist_load_24h - scientist_capacity AS scientist_over_capacity,

    -- the queue
    queue_length_at_enqueue,
    backlog_min_at_enqueue,
    lab_active_jobs_at_enqueue,
    expected_wait_min,
    expected_wait_min - buffer_min AS expected_overrun_min,

    -- the instrument
    instrument_type,
    instrument_id,
    vibration_6h,
    temperature_6h,
    pressure_6h,
    vibration_24h,
    temperature_24h,
    pressure_24h,
    vibration_6h - vibration_usual AS vibration_excess,
    temperature_6h - temperature_usual AS temperature_excess,
    pressure_6h - pressure_usual AS pressure_excess,
    errors_6h,
    errors_24h,
    lost_24h,
    days_since_calibration,

    -- the reagent
    event_type AS reagent_last_event,
    reagent_event_age_h,
    stock_after_units AS stock_units,
    stock_after_units - required_units AS stock_left_units,
    stock_after_units / required_units AS stock_ratio,
    CAST(stock_after_units < required_units AS INTEGER) AS stock_short,
    (epoch(lot_expiry_ts) - epoch(submitted_ts)) / 86400 AS days_to_expiry,
    CAST(lot_qc_status = 'borderline' AS INTEGER) AS lot_borderline,
    storage_excursion_48h AS storage_excursion,
    (epoch(expected_delivery_ts) - epoch(submitted_ts)) / 3600 AS delivery_h
FROM joined

"""#),
        (template: "lab-delay", path: "transforms/silver/instrument_hours.sql", content: #"""
-- What the telemetry of an instrument says at the end of each of its hours.
--
-- A reading becomes whole millionths of its unit, so that sums do not depend on their order: a part of the table built
-- alone has the same bits as all of it. Lost readings are left out of the means.
-- What is usual for an instrument is its own mean over 30 days, of hours without an error.
WITH readings AS (
    SELECT
        ts,
        instrument_id,
        CAST(round(vibration_mm_s * 1000000) AS INTEGER) AS vibration,
        CAST(round(temperature_c * 1000000) AS INTEGER) AS temperature,
        CAST(round(pressure_bar * 1000000) AS INTEGER) AS pressure,
        error_count,
        days_since_calibration
    FROM bronze.instrument_telemetry
)

SELECT
    instrument_id,
    ts,
    ts + INTERVAL 1 HOUR AS known_ts, -- the hour is over
    avg(vibration) OVER hours_6 / 1000000 AS vibration_6h,
    avg(temperature) OVER hours_6 / 1000000 AS temperature_6h,
    avg(pressure) OVER hours_6 / 1000000 AS pressure_6h,
    avg(vibration) OVER hours_24 / 1000000 AS vibration_24h,
    avg(temperature) OVER hours_24 / 1000000 AS temperature_24h,
    avg(pressure) OVER hours_24 / 1000000 AS pressure_24h,
    CAST(sum(error_count) OVER hours_6 AS INTEGER) AS errors_6h,
    CAST(sum(error_count) OVER hours_24 AS INTEGER) AS errors_24h,
    CAST(count(*) OVER hours_24 - count(vibration) OVER hours_24 AS INTEGER) AS lost_24h,
    avg(vibration) FILTER (error_count = 0) OVER days_30 / 1000000 AS vibration_usual,
    avg(temperature) FILTER (error_count = 0) OVER days_30 / 1000000 AS temperature_usual,
    avg(pressure) FILTER (error_count = 0) OVER days_30 / 1000000 AS pressure_usual,
    days_since_calibration
FROM readings
WINDOW
    hours_6 AS (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 5 HOURS PRECEDING AND CURRENT ROW),
    hours_24 AS (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 23 HOURS PRECEDING AND CURRENT ROW),
    days_30 AS (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW)

"""#),
        (template: "lab-delay", path: "transforms/silver/queue_shares.sql", content: #"""
-- How much of the backlog jobs of a priority have lately waited for, at each moment at which one left the queue: the
-- jobs that left it in the 30 days up to then. Urgent work overtakes, and by how much is nowhere written down.
--
-- Waits of more than 7 days are left out, so that a row never looks further back than 37 days.
SELECT
    priority,
    dequeue_ts,
    CAST(sum(CAST(round(wait_min * 100) AS BIGINT)) OVER lately AS DOUBLE)
    / nullif(CAST(sum(CAST(round(backlog_min_at_enqueue * 100) AS BIGINT)) OVER lately AS DOUBLE), 0) AS share
FROM bronze.queue_logs
WHERE dequeue_ts <= enqueue_ts + INTERVAL 7 DAYS
WINDOW lately AS (PARTITION BY priority ORDER BY dequeue_ts RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW)

"""#),
        (template: "lab-delay", path: "transforms/silver/reagent_states.sql", content: #"""
-- A reagent's state after the last event of each second that has one.
--
-- The log does not number its events. Within a second a delivery comes first, then what is taken, each time less being
-- left, then what was found missing, and a discarded lot last.
SELECT DISTINCT ON (reagent_id, ts)
    reagent_id,
    ts,
    event_type,
    stock_after_units,
    lot_expiry_ts,
    lot_qc_status,
    expected_delivery_ts,
    storage_excursion_48h
FROM bronze.reagent_logs
ORDER BY
    reagent_id, ts,
    CASE event_type WHEN 'discard' THEN 1 WHEN 'stockout' THEN 2 WHEN 'consume' THEN 3 ELSE 4 END,
    stock_after_units, lot_id, quantity_units, lot_expiry_ts, lot_qc_status, expected_delivery_ts, storage_excursion_48h

"""#),
        (template: "readmission", path: "README.md", content: ###"""
# readmission: who comes back to hospital within 30 days

One row is one hospital encounter of a patient with diabetes; the label is whether a readmission followed within
30 days (`<30`). The data are 101,766 encounters of 71,518 patients in 130 US hospitals, 1999-2008 (UCI 296, CC BY 4.0,
doi 10.24432/C5230J). Put `diabetic_data.csv` into `landing/encounters/`, then `martlet run`.

<!-- figures
bench session
101,766 count rows: received
71,518 count rows: patients
given 30 130 1999 2008 296 4.0
-->

| file | what it says |
| --- | --- |
| `contracts/encounters.yaml` | 50 columns: types, ranges, allowed values; `?` is missing, the text `None` means not measured |
| `transforms/silver/encounters.sql` | cleaning by four stated rules |
| `transforms/gold/encounters.sql` | 55 features, 15 of them from the patient's earlier encounters, and the label |
| `martlet.yaml` | the split, LightGBM, the threshold, the gates |

## What the numbers mean

Test part of the real file, patients split 70/10/20 by the portable uniform number (`make bench NAME=readmission`):

| seed | ROC-AUC | PR-AUC | log loss | debiased ECE | calibration slope |
| --- | --- | --- | --- | --- | --- |
| 42 | 0.684 | 0.235 | 0.337 | 0.000 | 0.98 |
| 1 | 0.684 | 0.237 | 0.330 | 0.000 | 0.99 |
| 2 | 0.685 | 0.232 | 0.327 | 0.000 | 1.06 |

<!-- figures
bench readmission
0.684 quality test ROC-AUC, seed 42
0.235 quality pr_auc, seed 42
0.337 quality log_loss, seed 42
0.000 quality debiased ECE, seed 42
0.98 ratio calibration slope, seed 42
0.684 quality test ROC-AUC, seed 1
0.237 quality pr_auc, seed 1
0.330 quality log_loss, seed 1
0.000 quality debiased ECE, seed 1
0.99 ratio calibration slope, seed 1
0.685 quality test ROC-AUC, seed 2
0.232 quality pr_auc, seed 2
0.327 quality log_loss, seed 2
0.000 quality debiased ECE, seed 2
1.06 ratio calibration slope, seed 2
given 42 1 2
-->

- **A ROC-AUC of 0.68 is what these columns hold.** A readmitted patient gets a higher score than another one in 68 of
  100 pairs. Other families of models end close by. We got far higher only by mistakes made on purpose: counting a
  patient's encounters that were still to come, or duplicating positives before the split.
- **Most alerts are wrong, and that may be worth it.** The base rate is 11.7 %. At the threshold for "a miss costs
  eight false alarms" the model calls 39 of 100 patients, finds 63 % of the readmissions, and 19 % of those it calls
  come back. The tenth with the highest scores holds 24 % of the readmissions, 27 % of it come back.
- **Accuracy says nothing here.** "Nobody comes back" is right in 89 of 100 cases.
- **The probabilities can be taken at their word**, at least on rows like these. The trees are stopped on log loss and
  the classes are not weighted, so no calibration follows. Over seeds 3 to 8 Platt's method on the 10 % validation part,
  which early stopping has already used, made ECE and log loss slightly worse.
- The Brier score (0.098) beside that of the base rate alone (0.103): the scores explain little of the outcome.

<!-- figures
bench readmission
0.68 quality test ROC-AUC, mean
11.7 ratio base rate, %, seed 42
39 ratio called at the threshold, %, seed 42
63 ratio readmissions found at the threshold, %, seed 42
19 ratio of those called that come back, %, seed 42
24 ratio readmissions in the tenth with the highest scores, %, seed 42
27 ratio of that tenth that come back, %, seed 42
0.098 quality Brier score, seed 42
0.103 quality Brier score of the base rate, seed 42
given 68 100 89 3 8 10
-->

## The rules behind them

- Discharges to death or hospice (codes 11, 13, 14, 19, 20, 21; 2,423 rows) are removed. Nobody is readmitted after
  death; with these rows the model would be praised for knowing who died. Predictions are therefore only for patients
  who leave alive, and such rows get none.
- A patient is in one part of the split only.
- History is what came before: windows see strictly earlier rows of the patient. Never used: the encounter's own label,
  later encounters, the total number of a patient's encounters. An earlier label of
  `NO` or `>30` is not used either, only `<30`: that it came true is known by the next encounter.
- The file has no dates. `encounter_id` rises with time, nearly always, so the difference between two ids stands for the
  time between. The ids themselves are no features.
- `payer_code` is missing in the whole first fifth of the file. It is a feature, but expect it to drift.
- The history features were chosen on seeds 3 to 8, not on those of the table. They are other splits of the same rows,
  so a little optimism remains.
- Scores are less sharp for people over 80 (ROC-AUC 0.641) than for those under 60 (0.718), and the older get more false alarms.
  Look at this before use; it is not a medical device.

<!-- figures
bench session
2,423 count rows: received and not in gold
bench readmission
0.641 quality ROC-AUC from the age of 80 on, seed 42
0.718 quality ROC-AUC below the age of 60, seed 42
given 11 13 14 19 20 21 3 8 80 60
-->

## Without the file

`martlet generate` writes look-alike encounters with a column `_synthetic`. Every figure from them is labelled
synthetic. They show that the machinery works (ROC-AUC near 0.70, because the generator's signal is of that strength)
and nothing about patients. Use the full 101,766 rows: on a test part of a few thousand the gates are within noise.

<!-- figures
bench lookalikes
0.70 ratio readmission: roc_auc (test)
101,766 count readmission: rows
-->

"""###),
        (template: "readmission", path: "contracts/encounters.yaml", content: ##"""
description: >-
  One row per hospital encounter of a patient with diabetes, 130 US hospitals, 1999-2008
  (UCI Machine Learning Repository, id 296, doi 10.24432/C5230J; CC BY 4.0).
on_violation: reject-row
max_rejected: 0.05 # a file with more bad rows than this is another file: refuse it whole
key: [encounter_id]
event_time: encounter_id # the file has no dates; the number rises with time
on_key_conflict: reject
columns:
  encounter_id: {type: bigint, nullable: false, min: 1, description: "rises with time, though not strictly"}
  patient_nbr: {type: bigint, nullable: false, min: 1, pii: direct, description: the patient; repeats}
  race: {type: text, allowed: [AfricanAmerican, Asian, Caucasian, Hispanic, Other], pii: quasi}
  gender: {type: text, nullable: false, allowed: [Female, Male, Unknown/Invalid], pii: quasi}
  age:
    type: text
    nullable: false
    allowed:
      - "[0-10)"
      - "[10-20)"
      - "[20-30)"
      - "[30-40)"
      - "[40-50)"
      - "[50-60)"
      - "[60-70)"
      - "[70-80)"
      - "[80-90)"
      - "[90-100)"
    unit: years
    pii: quasi
  weight:
    type: text
    allowed: ["[0-25)", "[25-50)", "[50-75)", "[75-100)", "[100-125)", "[125-150)", "[150-175)", "[175-200)", ">200"]
    description: missing in 97 of 100 rows
  admission_type_id: {type: integer, nullable: false, min: 1, max: 8}
  discharge_disposition_id:
    type: integer
    nullable: false
    min: 1
    max: 30
    description: "11, 13, 14, 19, 20, 21: death or hospice"
  admission_source_id: {type: integer, nullable: false, min: 1, max: 26}
  time_in_hospital: {type: integer, nullable: false, min: 1, max: 14, unit: days}
  payer_code: {type: text, allowed: [BC, CH, CM, CP, DM, FR, HM, MC, MD, MP, OG, OT, PO, SI, SP, UN, WC]}
  medical_specialty: {type: text, description: of the admitting physician}
  num_lab_procedures: {type: integer, nullable: false, min: 0, max: 200}
  num_procedures: {type: integer, nullable: false, min: 0, max: 20}
  num_medications: {type: integer, nullable: false, min: 0, max: 120}
  number_outpatient:
    type: integer
    nullable: false
    min: 0
    max: 120
    description: visits in the year before the encounter
  number_emergency:
    type: integer
    nullable: false
    min: 0
    max: 120
    description: visits in the year before the encounter
  number_inpatient:
    type: integer
    nullable: false
    min: 0
    max: 120
    description: visits in the year before the encounter
  diag_1: {type: text, pattern: "[EV]?[0-9]+([.][0-9]+)?", description: primary diagnosis (ICD-9)}
  diag_2: {type: text, pattern: "[EV]?[0-9]+([.][0-9]+)?", description: second diagnosis (ICD-9)}
  diag_3: {type: text, pattern: "[EV]?[0-9]+([.][0-9]+)?", description: third diagnosis (ICD-9)}
  number_diagnoses: {type: integer, nullable: false, min: 1, max: 20}
  max_glu_serum:
    type: text
    nullable: false
    allowed: ["None", Norm, ">200", ">300"]
    description: "None: not measured"
  a1c_result:
    type: text
    nullable: false
    allowed: ["None", Norm, ">7", ">8"]
    from: [A1Cresult]
    description: "None: not measured"
  metformin: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  repaglinide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  nateglinide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  chlorpropamide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  glimepiride: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  acetohexamide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  glipizide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  glyburide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  tolbutamide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  pioglitazone: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  rosiglitazone: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  acarbose: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  miglitol: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  troglitazone: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  tolazamide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  examide: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  citoglipton: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  insulin: {type: text, nullable: false, allowed: ["No", Steady, Up, Down]}
  glyburide_metformin: {type: text, nullable: false, allowed: ["No", Steady, Up, Down], from: [glyburide-metformin]}
  glipizide_metformin: {type: text, nullable: false, allowed: ["No", Steady, Up, Down], from: [glipizide-metformin]}
  glimepiride_pioglitazone:
    type: text
    nullable: false
    allowed: ["No", Steady, Up, Down]
    from: [glimepiride-pioglitazone]
  metformin_rosiglitazone:
    type: text
    nullable: false
    allowed: ["No", Steady, Up, Down]
    from: [metformin-rosiglitazone]
  metformin_pioglitazone:
    type: text
    nullable: false
    allowed: ["No", Steady, Up, Down]
    from: [metformin-pioglitazone]
  medication_change: {type: text, nullable: false, allowed: ["No", Ch], from: [change]}
  diabetes_med: {type: text, nullable: false, allowed: ["No", "Yes"], from: [diabetesMed]}
  readmitted:
    type: text
    allowed: ["NO", ">30", "<30"]
    optional: true
    available_at: next patient_nbr # what a stay led to is known when the patient comes back
    description: the label, days to the next admission; missing for encounters that are to be scored

"""##),
        (template: "readmission", path: "martlet.yaml", content: ##"""
# Readmission within 30 days of a hospital stay, from the stay itself and the patient's earlier ones.
name: readmission
sources:
  encounters:
    csv: {missing: ["?"]} # the text None stays: it means that a test was not done
models:
  - name: readmission
    table: gold.encounters
    key: encounter_id
    target: {column: readmitted_early, positive: true}
    group: patient_nbr # never on both sides of the split; the intervals resample patients
    features:
      # Codes, not amounts. Text columns are categorical by themselves.
      categorical: [admission_type_id, admission_source_id, discharge_disposition_id, previous_disposition]
      rare_below: 100
      missing: level
    split: {kind: hash, seed: 42, train: 0.7, validation: 0.1, test: 0.2}
    learner:
      kind: lightgbm
      parameters:
        num_leaves: 15
        learning_rate: 0.03
        min_data_in_leaf: 100
        bagging_fraction: 0.8
        bagging_freq: 1
        feature_fraction: 0.5
        lambda_l2: 10
        cat_smooth: 50
      rounds: 2000
      early_stopping: 100 # on the log loss of the validation part
    calibration: none # stopped on log loss and unweighted, the scores are calibrated as they come: see README.md
    threshold: {cost: {false_negative: 8, false_positive: 1}} # a missed readmission costs as much as eight calls
    bands: {medium: 0.1, high: 0.2}
    gates:
      - {metric: roc_auc, at_least: 0.66}
      - {metric: pr_auc, at_least: 0.18}
      - {metric: ece, at_most: 0.02}
      - {metric: calibration_slope, at_least: 0.85}
      - {metric: calibration_slope, at_most: 1.15}
    process: # raw rows, one at a time
      rows:
        encounters: {same: [patient_nbr]} # the history columns see the patient's earlier encounters, however old
    approval: none

"""##),
        (template: "readmission", path: "transforms/gold/encounters.sql", content: #"""
-- One row per encounter: what is known when the patient is discharged, and the label.
--
-- The history columns see only the same patient's strictly earlier encounters in this table, in the order of
-- encounter_id. An earlier encounter's own label counts: a readmission within 30 days of it has happened by now.
-- The encounter's own label, later encounters and the patient's total number of encounters stay out.
WITH history AS (
    SELECT
        encounter_id,
        row_number() OVER by_time - 1 AS earlier_encounters,
        count(CASE WHEN readmitted = '<30' THEN 1 END) OVER earlier AS earlier_lt30,
        sum(time_in_hospital) OVER earlier AS earlier_days,
        max(number_inpatient) OVER earlier AS earlier_max_inpatient,
        min(encounter_id) OVER earlier AS first_id,
        lag(encounter_id) OVER by_time AS previous_id,
        lag(readmitted) OVER by_time AS previous_label,
        lag(time_in_hospital) OVER by_time AS previous_stay,
        lag(discharge_disposition_id) OVER by_time AS previous_disposition,
        lag(number_inpatient) OVER by_time AS previous_inpatient,
        lag(number_emergency) OVER by_time AS previous_emergency,
        lag(num_medications) OVER by_time AS previous_medications,
        lag(diag_code_1) OVER by_time AS previous_code,
        lag(diag_group_1) OVER by_time AS previous_group
    FROM silver.encounters
    WINDOW
        by_time AS (PARTITION BY patient_nbr ORDER BY encounter_id),
        earlier AS (
            PARTITION BY patient_nbr ORDER BY encounter_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
)

SELECT
    encounter_id,
    patient_nbr,
    readmitted = '<30' AS readmitted_early, -- null while the outcome is not known

    -- the patient
    race,
    gender,
    age,

    -- the stay
    admission_type_id,
    admission_source_id,
    discharge_disposition_id,
    payer_code,
    medical_specialty,
    time_in_hospital,
    num_lab_procedures,
    num_procedures,
    num_medications,
    num_medications / time_in_hospital AS meds_per_day,
    num_lab_procedures / time_in_hospital AS labs_per_day,

    -- the year before, as the hospital recorded it
    number_outpatient,
    number_emergency,
    number_inpatient,
    number_outpatient + number_emergency + number_inpatient AS visits_total,

    -- diagnoses
    number_diagnoses,
    diag_code_1,
    diag_code_2,
    diag_code_3,
    diag_group_1,
    diag_group_2,
    diag_group_3,

    -- tests and drugs
    max_glu_serum,
    a1c_result,
    metformin,
    repaglinide,
    glimepiride,
    glipizide,
    glyburide,
    pioglitazone,
    rosiglitazone,
    insulin,
    drugs,
    drugs_up,
    drugs_down,
    medication_change,
    diabetes_med,

    -- the patient's earlier encounters
    CAST(earlier_encounters AS INTEGER) AS earlier_encounters,
    CAST(earlier_lt30 AS INTEGER) AS earlier_lt30,
    CAST(earlier_lt30 AS DOUBLE) / nullif(earlier_encounters, 0) AS earlier_lt30_share,
    CAST(earlier_days AS INTEGER) AS earlier_days,
    earlier_max_inpatient,
    CASE WHEN previous_label = '<30' THEN 1 WHEN earlier_encounters > 0 THEN 0 END AS previous_lt30,
    previous_stay,
    previous_disposition,
    number_inpatient - previous_inpatient AS inpatient_change,
    number_emergency - previous_emergency AS emergency_change,
    num_medications - previous_medications AS medications_change,
    CASE
        WHEN previous_code = diag_code_1 THEN 2
        WHEN previous_group = diag_group_1 THEN 1
        WHEN earlier_encounters > 0 THEN 0
    END AS same_diagnosis,

    -- time between encounters: the file has no dates, but encounter_id rises with time
    encounter_id - previous_id AS previous_gap,
    encounter_id - first_id AS first_gap,
    CAST(earlier_encounters AS DOUBLE) / nullif(encounter_id - first_id, 0) AS earlier_rate
FROM silver.encounters
JOIN history USING (encounter_id)

"""#),
        (template: "readmission", path: "transforms/silver/encounters.sql", content: #"""
-- Hospital encounters, cleaned: one row per encounter that can be followed by a readmission.
--
-- Rule 1. Discharges to death or hospice (discharge_disposition_id 11, 13, 14, 19, 20, 21) are removed: such a
--         patient cannot be readmitted, so the row would only teach the model who died.
-- Rule 2. An age band becomes its midpoint in years: [70-80) is 75.
-- Rule 3. A diagnosis code (ICD-9) becomes its category, the part before the point, and one of nine groups, after
--         Strack et al., "Impact of HbA1c Measurement on Hospital Readmission Rates", BioMed Research
--         International 2014, table 2. A missing code is a group of its own.
-- Rule 4. The 23 drugs are counted; those that more than one encounter in a hundred names keep a column.
--
-- The text None in max_glu_serum and a1c_result means "not measured" and is a value, not a gap.
WITH kept AS (
    SELECT
        *,
        split_part(diag_1, '.', 1) AS code_1,
        split_part(diag_2, '.', 1) AS code_2,
        split_part(diag_3, '.', 1) AS code_3
    FROM bronze.encounters
    WHERE discharge_disposition_id NOT IN (11, 13, 14, 19, 20, 21)
),

numbered AS (
    -- E and V codes have no number: they stay NULL here and are named below.
    SELECT
        *,
        TRY_CAST(code_1 AS INTEGER) AS number_1,
        TRY_CAST(code_2 AS INTEGER) AS number_2,
        TRY_CAST(code_3 AS INTEGER) AS number_3
    FROM kept
)

SELECT
    encounter_id,
    patient_nbr,
    race,
    gender,
    CAST(replace(split_part(age, '-', 1), '[', '') AS INTEGER) + 5 AS age,
    admission_type_id,
    discharge_disposition_id,
    admission_source_id,
    time_in_hospital,
    payer_code,
    medical_specialty,
    num_lab_procedures,
    num_procedures,
    num_medications,
    number_outpatient,
    number_emergency,
    number_inpatient,
    number_diagnoses,
    code_1 AS diag_code_1,
    code_2 AS diag_code_2,
    code_3 AS diag_code_3,
    CASE
        WHEN code_1 IS NULL THEN 'missing'
        WHEN number_1 IS NULL THEN 'external_or_supplementary'
        WHEN number_1 = 250 THEN 'diabetes'
        WHEN number_1 BETWEEN 390 AND 459 OR number_1 = 785 THEN 'circulatory'
        WHEN number_1 BETWEEN 460 AND 519 OR number_1 = 786 THEN 'respiratory'
        WHEN number_1 BETWEEN 520 AND 579 OR number_1 = 787 THEN 'digestive'
        WHEN number_1 BETWEEN 580 AND 629 OR number_1 = 788 THEN 'genitourinary'
        WHEN number_1 BETWEEN 800 AND 999 THEN 'injury'
        WHEN number_1 BETWEEN 710 AND 739 THEN 'musculoskeletal'
        WHEN number_1 BETWEEN 140 AND 239 THEN 'neoplasms'
        ELSE 'other'
    END AS diag_group_1,
    CASE
        WHEN code_2 IS NULL THEN 'missing'
        WHEN number_2 IS NULL THEN 'external_or_supplementary'
        WHEN number_2 = 250 THEN 'diabetes'
        WHEN number_2 BETWEEN 390 AND 459 OR number_2 = 785 THEN 'circulatory'
        WHEN number_2 BETWEEN 460 AND 519 OR number_2 = 786 THEN 'respiratory'
        WHEN number_2 BETWEEN 520 AND 579 OR number_2 = 787 THEN 'digestive'
        WHEN number_2 BETWEEN 580 AND 629 OR number_2 = 788 THEN 'genitourinary'
        WHEN number_2 BETWEEN 800 AND 999 THEN 'injury'
        WHEN number_2 BETWEEN 710 AND 739 THEN 'musculoskeletal'
        WHEN number_2 BETWEEN 140 AND 239 THEN 'neoplasms'
        ELSE 'other'
    END AS diag_group_2,
    CASE
        WHEN code_3 IS NULL THEN 'missing'
        WHEN number_3 IS NULL THEN 'external_or_supplementary'
        WHEN number_3 = 250 THEN 'diabetes'
        WHEN number_3 BETWEEN 390 AND 459 OR number_3 = 785 THEN 'circulatory'
        WHEN number_3 BETWEEN 460 AND 519 OR number_3 = 786 THEN 'respiratory'
        WHEN number_3 BETWEEN 520 AND 579 OR number_3 = 787 THEN 'digestive'
        WHEN number_3 BETWEEN 580 AND 629 OR number_3 = 788 THEN 'genitourinary'
        WHEN number_3 BETWEEN 800 AND 999 THEN 'injury'
        WHEN number_3 BETWEEN 710 AND 739 THEN 'musculoskeletal'
        WHEN number_3 BETWEEN 140 AND 239 THEN 'neoplasms'
        ELSE 'other'
    END AS diag_group_3,
    max_glu_serum,
    a1c_result,
    metformin,
    repaglinide,
    glimepiride,
    glipizide,
    glyburide,
    pioglitazone,
    rosiglitazone,
    insulin,
    CAST(metformin <> 'No' AS INTEGER) + CAST(repaglinide <> 'No' AS INTEGER)
    + CAST(nateglinide <> 'No' AS INTEGER) + CAST(chlorpropamide <> 'No' AS INTEGER)
    + CAST(glimepiride <> 'No' AS INTEGER) + CAST(acetohexamide <> 'No' AS INTEGER)
    + CAST(glipizide <> 'No' AS INTEGER) + CAST(glyburide <> 'No' AS INTEGER)
    + CAST(tolbutamide <> 'No' AS INTEGER) + CAST(pioglitazone <> 'No' AS INTEGER)
    + CAST(rosiglitazone <> 'No' AS INTEGER) + CAST(acarbose <> 'No' AS INTEGER)
    + CAST(miglitol <> 'No' AS INTEGER) + CAST(troglitazone <> 'No' AS INTEGER)
    + CAST(tolazamide <> 'No' AS INTEGER) + CAST(examide <> 'No' AS INTEGER)
    + CAST(citoglipton <> 'No' AS INTEGER) + CAST(insulin <> 'No' AS INTEGER)
    + CAST(glyburide_metformin <> 'No' AS INTEGER) + CAST(glipizide_metformin <> 'No' AS INTEGER)
    + CAST(glimepiride_pioglitazone <> 'No' AS INTEGER) + CAST(metformin_rosiglitazone <> 'No' AS INTEGER)
    + CAST(metformin_pioglitazone <> 'No' AS INTEGER) AS drugs,
    CAST(metformin = 'Up' AS INTEGER) + CAST(repaglinide = 'Up' AS INTEGER)
    + CAST(nateglinide = 'Up' AS INTEGER) + CAST(chlorpropamide = 'Up' AS INTEGER)
    + CAST(glimepiride = 'Up' AS INTEGER) + CAST(acetohexamide = 'Up' AS INTEGER)
    + CAST(glipizide = 'Up' AS INTEGER) + CAST(glyburide = 'Up' AS INTEGER)
    + CAST(tolbutamide = 'Up' AS INTEGER) + CAST(pioglitazone = 'Up' AS INTEGER)
    + CAST(rosiglitazone = 'Up' AS INTEGER) + CAST(acarbose = 'Up' AS INTEGER)
    + CAST(miglitol = 'Up' AS INTEGER) + CAST(troglitazone = 'Up' AS INTEGER)
    + CAST(tolazamide = 'Up' AS INTEGER) + CAST(examide = 'Up' AS INTEGER)
    + CAST(citoglipton = 'Up' AS INTEGER) + CAST(insulin = 'Up' AS INTEGER)
    + CAST(glyburide_metformin = 'Up' AS INTEGER) + CAST(glipizide_metformin = 'Up' AS INTEGER)
    + CAST(glimepiride_pioglitazone = 'Up' AS INTEGER) + CAST(metformin_rosiglitazone = 'Up' AS INTEGER)
    + CAST(metformin_pioglitazone = 'Up' AS INTEGER) AS drugs_up,
    CAST(metformin = 'Down' AS INTEGER) + CAST(repaglinide = 'Down' AS INTEGER)
    + CAST(nateglinide = 'Down' AS INTEGER) + CAST(chlorpropamide = 'Down' AS INTEGER)
    + CAST(glimepiride = 'Down' AS INTEGER) + CAST(acetohexamide = 'Down' AS INTEGER)
    + CAST(glipizide = 'Down' AS INTEGER) + CAST(glyburide = 'Down' AS INTEGER)
    + CAST(tolbutamide = 'Down' AS INTEGER) + CAST(pioglitazone = 'Down' AS INTEGER)
    + CAST(rosiglitazone = 'Down' AS INTEGER) + CAST(acarbose = 'Down' AS INTEGER)
    + CAST(miglitol = 'Down' AS INTEGER) + CAST(troglitazone = 'Down' AS INTEGER)
    + CAST(tolazamide = 'Down' AS INTEGER) + CAST(examide = 'Down' AS INTEGER)
    + CAST(citoglipton = 'Down' AS INTEGER) + CAST(insulin = 'Down' AS INTEGER)
    + CAST(glyburide_metformin = 'Down' AS INTEGER) + CAST(glipizide_metformin = 'Down' AS INTEGER)
    + CAST(glimepiride_pioglitazone = 'Down' AS INTEGER) + CAST(metformin_rosiglitazone = 'Down' AS INTEGER)
    + CAST(metformin_pioglitazone = 'Down' AS INTEGER) AS drugs_down,
    medication_change,
    diabetes_med,
    readmitted
FROM numbered

"""#),
    ]
}
