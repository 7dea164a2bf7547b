package io.shardpress.schemas.recipe;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * GPTQ (arXiv 2210.17323) on targets corrected for the error of the inputs, W + α·W·P·(H̃ + λI)⁻¹.
 *
 * @param blockSize columns between two updates of the rest of the matrix
 * @param dampeningFrac added to H̃'s diagonal before its Cholesky factor, times the mean diagonal
 * @param alpha how much of the correction is applied, 0 to 1
 * @param damping λ of the correction, times the mean diagonal of H̃
 * @param stepSearch search the step over shrunk ranges instead of taking it from min and max
 * @param trueSequential gather inputs anew after each of a block's four stages
 */
public record GptqModifier(
    List<SchemeGroup> groups,
    List<String> ignore,
    boolean stepSearch,
    double alpha,
    double damping,
    int blockSize,
    double dampeningFrac,
    boolean trueSequential,
    long seed)
    implements Modifier {
  public GptqModifier {
    groups = List.copyOf(groups);
    ignore = List.copyOf(ignore);
  }

  static GptqModifier of(List<SchemeGroup> groups, List<String> ignore, Settings s) {
    return new GptqModifier(
        groups,
        ignore,
        s.flag(SettingKey.STEP_SEARCH),
        s.real(SettingKey.ALPHA),
        s.real(SettingKey.DAMPING),
        s.whole(SettingKey.BLOCK_SIZE),
        s.real(SettingKey.DAMPENING_FRAC),
        s.flag(SettingKey.TRUE_SEQUENTIAL),
        s.wide(SettingKey.SEED));
  }

  @Override
  public ModifierKind kind() {
    return ModifierKind.GPTQ;
  }

  @Override
  public Modifier withSeed(long newSeed) {
    return new GptqModifier(
        groups,
        ignore,
        stepSearch,
        alpha,
        damping,
        blockSize,
        dampeningFrac,
        trueSequential,
        newSeed);
  }

  @Override
  public Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put(SettingKey.STEP_SEARCH.key(), stepSearch);
    settings.put(SettingKey.ALPHA.key(), alpha);
    settings.put(SettingKey.DAMPING.key(), damping);
    settings.put(SettingKey.BLOCK_SIZE.key(), (long) blockSize);
    settings.put(SettingKey.DAMPENING_FRAC.key(), dampeningFrac);
    settings.put(SettingKey.TRUE_SEQUENTIAL.key(), trueSequential);
    settings.put(SettingKey.SEED.key(), seed);
    return settings;
  }
}
