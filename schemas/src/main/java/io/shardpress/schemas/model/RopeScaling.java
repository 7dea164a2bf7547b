package io.shardpress.schemas.model;

/**
 * How rotary embeddings are stretched beyond the length that a model was first trained on; absent
 * where they are not. Values that a type does not use are 0.
 *
 * @param type {@code llama3}, or a type that has no block here: linear, dynamic, yarn, longrope
 * @param factor by which low frequencies are divided
 * @param lowFreqFactor originalMaxPositions / this is the wavelength from which all of factor
 *     applies
 * @param highFreqFactor originalMaxPositions / this is the wavelength up to which nothing changes
 * @param originalMaxPositions positions of the first training
 */
public record RopeScaling(
    String type,
    double factor,
    double lowFreqFactor,
    double highFreqFactor,
    int originalMaxPositions) {}
