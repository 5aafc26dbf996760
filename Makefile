# The commands of the project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-photo bench-overload crash rolling lock clean
MAKEFLAGS += --no-print-directory

help:
	@echo "make demo    启动演示：报名系统和演示用的统一身份认证平台，按 Ctrl+C 结束"
	@echo "             端口被占用时：make demo PORT=8010 SANDBOX_PORT=8011"
	@echo "make test    运行全部测试：先用 SQLite，再用 PostgreSQL，含浏览器测试"
	@echo "             只运行一部分：make test ARGS=\"-k photo\""
	@echo "make bench   测量每一步在 gunicorn 和 PostgreSQL 上的开销，与一个空白页面相比；多少份报名：make bench ARGS=\"100000\""
	@echo "             从 1,000 份到 1,000,000 份：make bench ARGS=\"--growth\""
	@echo "make bench-photo  测量照片处理的耗时和内存"
	@echo "make rolling  在真实的访问和提交下升级再退回，一个请求也不能失败"
	@echo "make bench-overload  测量整套系统在四倍负荷和慢速发送下的表现；半分钟的短测：make bench-overload ARGS=--short"
	@echo "make crash   反复杀掉网页进程和 PostgreSQL，已经答应的提交一份也不能丢；短的一次：make crash ARGS=--short"
	@echo "make lint    检查代码的格式、类型、分层和部署设置"
	@echo "make lock    按 pyproject.toml 重新写五个锁定文件"
	@echo "make clean   删除 .venv、演示数据和各种缓存"

demo:
	@scripts/setup requirements-demo.txt
	@exec .venv/bin/python -m scripts.demo

test:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m scripts.test $(ARGS)

lint:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m scripts.lint

bench:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m bench.load $(ARGS)

bench-photo:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m bench.photo

rolling:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m bench.rolling $(ARGS)

bench-overload:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m bench.overload $(ARGS)

crash:
	@scripts/setup requirements-dev.txt
	@exec .venv/bin/python -m bench.crash $(ARGS)

lock:
	@scripts/setup requirements-dev.txt
	@scripts/lock

clean:
	@rm -rf .venv .var .static .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "已删除。"
