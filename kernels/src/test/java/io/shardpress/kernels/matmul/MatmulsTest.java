package io.shardpress.kernels.matmul;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MatmulsTest {
  private final String matmulBefore = System.getProperty("shardpress.matmul");
  private final String bitsBefore = System.getProperty("shardpress.vector.bits");

  @AfterEach
  void restoreProperties() {
    set("shardpress.matmul", matmulBefore);
    set("shardpress.vector.bits", bitsBefore);
  }

  @Test
  void defaultIsOpenBlasWhereItLoads() {
    set("shardpress.matmul", null);
    assertThat(Matmuls.chosen().name())
        .startsWith(OpenBlasLibrary.isLoaded() ? "openblas-0." : "vector-");
    assertThat(Matmuls.describe()).contains("products by " + Matmuls.chosen().name());
    assertThat(Matmuls.fallback()).isEmpty();
  }

  @Test
  void propertiesFixTheBackendAndItsWidth() {
    set("shardpress.matmul", "scalar");
    assertThat(Matmuls.chosen()).isInstanceOf(ScalarMatmul.class);
    set("shardpress.matmul", "vector");
    set("shardpress.vector.bits", "128");
    assertThat(Matmuls.chosen().name()).isEqualTo("vector-128");
    assertThat(Matmuls.describe())
        .startsWith(
            "products by vector-128, as -Dshardpress.matmul asks, loops on vectors of 128 bits");
    set("shardpress.vector.bits", "0");
    assertThat(Matmuls.chosen().name()).isEqualTo("scalar");
    assertThat(Matmuls.describe()).contains("loops without vectors");
    assertThat(Matmuls.fallback()).isEmpty();
  }

  @Test
  void anExecutorTakesWhatTheDriverNamed() {
    set("shardpress.vector.bits", "256");
    for (Matmul matmul : Implementations.all()) {
      assertThat(Matmuls.named(matmul.name()).name()).isEqualTo(matmul.name());
      assertThat(Matmuls.named(matmul.name())).isSameAs(Matmuls.named(matmul.name()));
    }
  }

  @Test
  void whatCannotBeGivenIsExplained() {
    if (OpenBlasLibrary.isLoaded()) {
      assertThatThrownBy(() -> Matmuls.named("openblas-0.1-PDP11"))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("openblas-0.1-PDP11 is wanted, but this machine gives openblas-0.");
    }
    assertThatThrownBy(() -> Matmuls.named("vector-96"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("matmul vector-96 is 96, must be 0, 128, 256 or 512");
    assertThatThrownBy(() -> Matmuls.named("abacus"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("shardpress.matmul is abacus, must be scalar, vector or openblas");
    set("shardpress.vector.bits", "100");
    assertThatThrownBy(VectorWidth::chosen)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("shardpress.vector.bits is 100, must be 0, 128, 256 or 512");
  }

  private static void set(String property, String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }
}
