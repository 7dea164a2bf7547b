package io.shardpress.spark.text.jinja;

import java.util.List;

/** Tokens that a parser takes one after the other. */
final class TokenStream {
  private static final int DEEPEST = 200;

  private final List<Token> tokens;
  private int at;
  private int depth;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peek(int ahead) {
    return tokens.get(Math.min(at + ahead, tokens.size() - 1));
  }

  Token next() {
    Token token = tokens.get(at);
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  /** Takes the next token if it is that operator. */
  boolean skip(String operator) {
    boolean there = peek().is(operator);
    if (there) {
      next();
    }
    return there;
  }

  /** Takes the next token if it is that name. */
  boolean skipName(String name) {
    boolean there = peek().names(name);
    if (there) {
      next();
    }
    return there;
  }

  void want(String operator) {
    if (!skip(operator)) {
      throw wrong("wanted '" + operator + "'");
    }
  }

  void want(Token.Kind kind) {
    if (peek().kind() != kind) {
      throw wrong("wanted " + (kind == Token.Kind.BLOCK_END ? "%}" : "}}"));
    }
    next();
  }

  String name() {
    if (peek().kind() != Token.Kind.NAME) {
      throw wrong("wanted a name");
    }
    return next().text();
  }

  /** Goes into something nested. */
  void enter() {
    if (++depth > DEEPEST) {
      throw wrong("nested more than " + DEEPEST + " deep");
    }
  }

  void leave() {
    depth--;
  }

  JinjaException wrong(String what) {
    return new JinjaException("line " + peek().line() + ": found " + peek() + ", " + what);
  }
}
