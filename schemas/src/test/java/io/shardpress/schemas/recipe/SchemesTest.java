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
        .isEqualTo(new WeightScheme(bits, symmetric, 0));
    assertThat(Schemes.named(name).name()).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"W8A8", "W8A8_STATIC", "W4A8", "W4A8KV8", "FP8", "FP8_DYNAMIC", "FP8_BLOCK"})
  void laterSchemesAreKnownAndRefused(String name) {
    assertThatThrownBy(() -> Schemes.named(name))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("scheme " + name + " is not supported yet")
        .hasMessageContaining("W4A16_ASYM");
  }

  @ParameterizedTest
  @CsvSource({"W4A61,W4A16", "w3a16-asym,W3A16_ASYM", "FP8_DYNAMC,FP8_DYNAMIC"})
  void anUnknownSchemeNamesTheNearest(String typed, String nearest) {
    assertThatThrownBy(() -> Schemes.named(typed))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("unknown scheme '" + typed + "', the nearest is " + nearest + ";");
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
