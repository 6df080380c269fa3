-- One row per encounter: what is known when the patient is discharged, and the label.
--
-- The history columns see only the same patient's strictly earlier encounters in this table, in the order of
-- encounter_id. An earlier encounter's own label counts: a readmission within 30 days of it has happened by now.
-- The encounter's own label, later encounters and the patient's total number of encounters stay out.
SELECT
    encounter_id,
    patient_nbr,
    readmitted,

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
    CAST(count(*) OVER earlier AS INTEGER) AS earlier_encounters,
    CAST(count(CASE WHEN readmitted = '<30' THEN 1 END) OVER earlier AS INTEGER) AS earlier_lt30,
    CAST(count(CASE WHEN readmitted = '<30' THEN 1 END) OVER earlier AS DOUBLE)
    / nullif(count(*) OVER earlier, 0) AS earlier_lt30_share,
    CAST(sum(time_in_hospital) OVER earlier AS INTEGER) AS earlier_days,
    max(number_inpatient) OVER earlier AS earlier_max_inpatient,
    max(CASE WHEN readmitted = '<30' THEN 1 ELSE 0 END) OVER previous AS previous_lt30,
    max(time_in_hospital) OVER previous AS previous_stay,
    max(discharge_disposition_id) OVER previous AS previous_disposition,
    number_inpatient - max(number_inpatient) OVER previous AS inpatient_change,
    number_emergency - max(number_emergency) OVER previous AS emergency_change,
    num_medications - max(num_medications) OVER previous AS medications_change,
    CASE
        WHEN max(diag_code_1) OVER previous = diag_code_1 THEN 2
        WHEN max(diag_group_1) OVER previous = diag_group_1 THEN 1
        WHEN max(diag_group_1) OVER previous IS NOT NULL THEN 0
    END AS same_diagnosis,

    -- time between encounters: the file has no dates, but encounter_id rises with time
    encounter_id - max(encounter_id) OVER previous AS previous_gap,
    encounter_id - min(encounter_id) OVER earlier AS first_gap,
    CAST(count(*) OVER earlier AS DOUBLE) / nullif(encounter_id - min(encounter_id) OVER earlier, 0) AS earlier_rate
FROM silver.encounters
WINDOW
    earlier AS (
        PARTITION BY patient_nbr ORDER BY encounter_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ),
    previous AS (
        PARTITION BY patient_nbr ORDER BY encounter_id
        ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING
    )
