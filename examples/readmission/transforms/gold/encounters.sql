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
