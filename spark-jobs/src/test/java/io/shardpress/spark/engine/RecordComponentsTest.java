package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.spark.io.Location;
import java.util.List;
import org.junit.jupiter.api.Test;

@SuppressWarnings("UnusedMethod")
final class RecordComponentsTest {
  private record Secret(int number, @Location List<String> names) {
    Secret {
      if (number < 0) {
        throw new ArithmeticException("below 0");
      }
    }

    Secret(int number) {
      this(number, List.of());
    }
  }

  private static final RecordComponents SECRET = RecordComponents.of(Secret.class);

  @Test
  void componentsHaveNamesTypesAndValues() {
    Secret record = new Secret(3, List.of("a"));
    assertThat(SECRET.name()).isEqualTo("RecordComponentsTest$Secret");
    assertThat(SECRET.list()).extracting(one -> one.name()).containsExactly("number", "names");
    assertThat(SECRET.list()).extracting(one -> one.location()).containsExactly(false, true);
    assertThat(SECRET.list())
        .extracting(one -> one.type().getTypeName())
        .containsExactly("int", "java.util.List<java.lang.String>");
    assertThat(SECRET.list()).extracting(one -> one.of(record)).containsExactly(3, List.of("a"));
  }

  @Test
  void recordsAreMadeByTheCanonicalConstructor() {
    assertThat(SECRET.newInstance(new Object[] {4, null})).isEqualTo(new Secret(4, null));
    assertThatThrownBy(() -> SECRET.newInstance(new Object[] {-1, null}))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("below 0");
  }

  @Test
  void otherClassesHaveNone() {
    assertThatThrownBy(() -> RecordComponents.of(String.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("java.lang.String is no record");
  }

  @Test
  void namesAreWithoutPackage() {
    assertThat(RecordComponents.nameOf(List.class)).isEqualTo("List");
    assertThat(RecordComponents.nameOf(Secret[][].class))
        .isEqualTo("RecordComponentsTest$Secret[][]");
    assertThat(RecordComponents.nameOf(int[].class)).isEqualTo("int[]");
  }
}
