package io.shardpress.schemas.recipe;

import java.util.List;
import java.util.Map;

/**
 * Round to nearest, without calibration text.
 *
 * @param stepSearch search the step over shrunk ranges instead of taking it from min and max
 */
public record QuantizationModifier(
    List<SchemeGroup> groups, List<String> ignore, boolean stepSearch) implements Modifier {
  public QuantizationModifier {
    groups = List.copyOf(groups);
    ignore = List.copyOf(ignore);
  }

  static QuantizationModifier of(List<SchemeGroup> groups, List<String> ignore, Settings s) {
    return new QuantizationModifier(groups, ignore, s.flag(SettingKey.STEP_SEARCH_RTN));
  }

  @Override
  public ModifierKind kind() {
    return ModifierKind.QUANTIZATION;
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of(SettingKey.STEP_SEARCH_RTN.key(), stepSearch);
  }

  @Override
  public Modifier withSeed(long seed) {
    return this;
  }
}
