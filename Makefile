# The commands of the project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-photo crash lock clean
MAKEFLAGS += --no-print-directory

help:
	@echo "make demo    启动演示：报名系统和演示用的统一身份认证平台，按 Ctrl+C 结束"
	@echo "             端口被占用时：make demo PORT=8010 SANDBOX_PORT=8011"
	@echo "make test    运行全部测试：先用 SQLite，再用 PostgreSQL，含浏览器测试"
	@echo "             只运行一部分：make test ARGS=\"-k photo\""
	@echo "make bench   测量各页面在 gunicorn 和 PostgreSQL 上的耗时，与一个空白页面相比；多少份报名：make bench ARGS=\"100000\""
	@echo "make bench-photo  测量照片处理的耗时和内存"
	@echo "make lint    检查代码的格式、类型、分层和部署设置"
	@echo "make lock    按 pyproject.toml 重新写四个锁定文件"
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
