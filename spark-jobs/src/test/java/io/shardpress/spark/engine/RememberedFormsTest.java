package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class RememberedFormsTest {
  record Value(int number) {}

  @Test
  void aFormIsThatOfOneRecordAndNotOfItsEquals() {
    RememberedForms forms = new RememberedForms();
    Value one = new Value(1);
    Value equal = new Value(1);
    forms.remember(one, "one");
    assertThat(forms.find(one)).isEqualTo("one");
    assertThat(forms.find(equal)).isNull();
    forms.remember(equal, "equal");
    forms.remember(one, "again");
    assertThat(forms.find(one)).isEqualTo("again");
    assertThat(forms.find(equal)).isEqualTo("equal");
    assertThat(forms.size()).isEqualTo(2);
  }

  @Test
  @Timeout(60)
  void recordsThatNobodyHoldsAreForgotten() throws InterruptedException {
    RememberedForms forms = new RememberedForms();
    for (int i = 0; i < 1000; i++) {
      forms.remember(new Value(i), "form");
    }
    Value kept = new Value(-1);
    forms.remember(kept, "kept");
    while (forms.size() > 1) {
      System.gc();
      Thread.sleep(10);
      forms.remember(kept, "kept");
    }
    assertThat(forms.find(kept)).isEqualTo("kept");
  }
}
