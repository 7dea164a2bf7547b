package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * GPTQ (arXiv 2210.17323) on targets corrected for the error of the inputs, W + α·W·P·(H̃ + λI)⁻¹:
 * as a learner of its own, or where another starts from.
 *
 * @param stepSearch search the step over shrunk ranges instead of taking it from min and max
 * @param alpha how much of the correction is applied, 0 to 1
 * @param damping λ of the correction, times the mean diagonal of H̃
 * @param blockSize columns between two updates of the rest of the matrix
 * @param dampeningFrac added to H̃'s diagonal before its Cholesky factor, times the mean diagonal
 * @param trueSequential gather inputs anew after each of a block's four stages
 * @param descentRounds of coordinate descent from GPTQ's result, each over steps and integers
 * @param descentSweeps over the integers in each of them, at most
 */
public record GptqSettings(
    boolean stepSearch,
    double alpha,
    double damping,
    int blockSize,
    double dampeningFrac,
    boolean trueSequential,
    int descentRounds,
    int descentSweeps)
    implements Serializable {
  /** Those of a modifier that has them: GPTQ, and what can start from it. */
  public static GptqSettings of(Modifier m) {
    return new GptqSettings(
        m.flag(SettingKey.STEP_SEARCH),
        m.real(SettingKey.ALPHA),
        m.real(SettingKey.DAMPING),
        m.whole(SettingKey.BLOCK_SIZE),
        m.real(SettingKey.DAMPENING_FRAC),
        m.flag(SettingKey.TRUE_SEQUENTIAL),
        m.whole(SettingKey.DESCENT_ROUNDS),
        m.whole(SettingKey.DESCENT_SWEEPS));
  }
}
