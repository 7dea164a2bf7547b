package io.shardpress.kernels.reference;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests of code on vectors. A process has vectors of one width: the build runs these tests with the
 * processor's own, with those of 128 and of 256 bits, and with none.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Tag("vectors")
@ExtendWith(WidthHere.class)
public @interface OnVectors {}
