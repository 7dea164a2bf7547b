package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.UsageException;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemesTest {
  @ParameterizedTest
  @CsvSource({
    "W2A16,2,true", "W3A16,3,true", "W4A16,4,true", "W8A16,8,true",
    "W2A16_ASYM,2,false", "W3A16_ASYM,3,false", "W4A16_ASYM,4,false", "W8A16_ASYM,8,false"
  })
  void namesCarryBitsAndSymmetry(String name, int bits, boolean symmetric) {
    assertThat(Schemes.named(name)).isEqualTo(new WeightScheme(bits, symmetric, 128));
    assertThat(Schemes.named(name, OptionalInt.of(0)))
        .isEqualTo(new Scheme(new WeightScheme(bits, symmetric, 0)));
    assertThat(Schemes.named(name).name()).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"NVFP4", "MXFP4"})
  void laterSchemesAreKnownAndRefused(String name) {
    assertThatThrownBy(() -> Schemes.named(name))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("scheme " + name + " is not supported yet")
        .hasMessageContaining("W4A16_ASYM");
  }

  @ParameterizedTest
  @CsvSource({
    "MXFP4A16,MXFP4,32,'strategy: group, group_size: 32'",
    "NVFP4A16,NVFP4,16,'strategy: tensor_group, group_size: 16'"
  })
  void fp4HasGroupsOfItsOwn(String name, WeightForm form, int group, String args) {
    Scheme scheme = Schemes.named(name, OptionalInt.empty());
    assertThat(scheme.weights()).isEqualTo(WeightScheme.of(form));
    assertThat(scheme.weights().bits()).isEqualTo(4);
    assertThat(scheme.weights().groups(64)).isEqualTo(64 / group);
    assertThat(scheme.weights().divides(72)).isFalse();
    assertThat(scheme.activations()).isNull();
    Recipe named = Recipe.parse("r", "QuantizationModifier: {scheme: " + name + "}");
    assertThat(named.toYaml()).contains("scheme: " + name).doesNotContain("group_size");
    assertThat(Recipe.parse("again", named.toYaml())).isEqualTo(named);
    String weights = "{num_bits: 4, type: float, symmetric: true, " + args + "}";
    Recipe groups =
        Recipe.parse(
            "r",
            """
            QuantizationModifier:
              config_groups:
                a: {targets: [x], weights: %s}
                b: {targets: [Linear], weights: {num_bits: 4, group_size: 64}}
            """
                .formatted(weights));
    assertThat(groups.toYaml()).contains("weights: " + weights);
    assertThat(Recipe.parse("again", groups.toYaml())).isEqualTo(groups);
  }

  @ParameterizedTest
  @CsvSource({"W4A61,W4A16", "w3a16-asym,W3A16_ASYM", "FP8_DYNAMC,FP8_DYNAMIC"})
  void anUnknownSchemeNamesTheNearest(String typed, String nearest) {
    assertThatThrownBy(() -> Schemes.named(typed))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("unknown scheme '" + typed + "', the nearest is " + nearest + ";");
  }

  /** Bits of weights, group size (0: per channel), static and so searched inputs, KV8. */
  @ParameterizedTest
  @CsvSource({
    "W8A8,8,0,false,false",
    "W8A8_STATIC,8,0,true,false",
    "W4A8,4,128,false,false",
    "W4A8KV8,4,128,false,true"
  })
  void quantizedInputsAreEightBitsAndSymmetric(
      String name, int bits, int group, boolean fixed, boolean cached) {
    assertThat(Schemes.named(name, OptionalInt.empty()))
        .isEqualTo(
            new Scheme(
                new WeightScheme(bits, true, group),
                new ActivationScheme(8, true, !fixed, fixed),
                cached ? new KvCacheScheme(true) : null));
    assertThat(Schemes.named(name, OptionalInt.of(32)).weights().groupSize()).isEqualTo(32);
  }

  @ParameterizedTest
  @CsvSource({
    "FP8,FP8_TENSOR,false,0,per tensor",
    "FP8_DYNAMIC,FP8_CHANNEL,true,0,per channel",
    "FP8_BLOCK,FP8_BLOCK,true,128,block 128x128"
  })
  void fp8HasScalesOfItsOwnKind(
      String name, WeightForm form, boolean dynamic, int group, String sharing) {
    Scheme scheme = Schemes.named(name, OptionalInt.empty());
    assertThat(scheme.weights()).isEqualTo(WeightScheme.of(form));
    assertThat(scheme.weights().sharing()).isEqualTo(sharing);
    assertThat(scheme.activations()).isEqualTo(ActivationScheme.fp8(dynamic, group));
    assertThat(new SchemeGroup(java.util.List.of(), scheme.weights(), scheme.activations()))
        .extracting(SchemeGroup::schemeName)
        .isEqualTo(name);
    Recipe recipe = Recipe.parse("r", "QuantizationModifier: {scheme: " + name + "}");
    assertThat(recipe.toYaml()).contains("scheme: " + name).doesNotContain("group_size");
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  /** Names of parts in shared work folders hold these; what was there before FP8 stays known. */
  @Test
  void integersAreCalledWhatTheyWere() {
    assertThat(new WeightScheme(4, true, 128))
        .hasToString(
            "WeightScheme[bits=4, symmetric=true, groupSize=128, order=NONE, outliers=false]");
    assertThat(new ActivationScheme(8, true, false, true))
        .hasToString("ActivationScheme[bits=8, symmetric=true, dynamic=false, search=true]");
  }

  @Test
  void groupsAreWhole() {
    assertThat(new WeightScheme(4, true, 64).groups(192)).isEqualTo(3);
    assertThat(new WeightScheme(4, true, 0).groups(172)).isEqualTo(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new WeightScheme(4, true, 64).groups(172))
        .withMessage("group size 64 does not divide 172 inputs");
  }
}
